using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>A client that only receives stays; a silent peer is pinged and then closed, even under load.</summary>
public abstract class LivenessTests(NodeTransport transport) : TransportTests(transport)
{
    [Fact]
    public async Task Clients_that_answer_pings_stay_and_silent_ones_are_closed()
    {
        await using var farm = await StartFarmAsync(
            ("Push:Connections:PingAfter", "00:00:05"), ("Push:Connections:CloseAfter", "00:00:30"), ("Push:Merge:Window", "00:00:00.2"));
        var (busy, quiet) = (Room.New("busy"), Room.New("quiet"));
        var living = new List<WsClient>();
        var silent = new List<WsClient>();
        foreach (var room in (string[])[busy, quiet])
        {
            living.Add(await ConnectAsync(farm, room, answersPings: true));
            silent.Add(await ConnectAsync(farm, room, answersPings: false));
        }

        using var stop = new CancellationTokenSource();
        var publishing = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                await Http.PublishAsync(farm, busy, "1");
                await Task.Delay(50);
            }
        }, TestContext.Current.CancellationToken);

        await Task.WhenAll(silent.Select(client => client.EndAsync()));
        Assert.All(silent, client => Assert.InRange(client.Pings, 1, int.MaxValue));

        // Pings are at least 4 s apart, so eight of them outlast one CloseAfter.
        await Eventually.HoldsAsync(() => living.All(client => client.Pings >= 8 || client.Ended.IsCompleted), "the living were pinged eight times", () => farm.Log);
        Assert.All(living, client => Assert.True(!client.Ended.IsCompleted, client.Ended.IsCompleted ? $"{client.Pings} pings, {client.Ended.Result}" : ""));
        await Metrics.UntilAsync(farm, metrics => metrics["push_connections"] == 2, "only the living are left");
        await stop.CancelAsync();
        await publishing;
        foreach (var client in living.Concat(silent))
            await client.DisposeAsync();
    }

    private static async Task<WsClient> ConnectAsync(ProgramProcess farm, string room, bool answersPings)
    {
        var joined = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var client = await WsClient.ConnectAsync(farm.NodePort, $"/ws?room={room}", new WsOptions { AnswersPings = answersPings, OnMessage = _ => joined.TrySetResult() });
        await Eventually.CompletesAsync(joined.Task, "JOINED");
        return client;
    }

    public sealed class OverEpoll() : LivenessTests(NodeTransport.Epoll);

    public sealed class OverKestrel() : LivenessTests(NodeTransport.Stream);
}
