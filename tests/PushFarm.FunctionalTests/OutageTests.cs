using System.Net;
using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>When Redis is killed or stalls, clients stay connected, get a GAP, and receive messages again afterwards.</summary>
public abstract class OutageTests(NodeTransport transport) : TransportTests(transport)
{
    /// <summary>A stall is noticed, but not one of some seconds, as a busy machine makes them.</summary>
    private static readonly (string, string) NoticesStalls = ("Backplane:CanaryTimeout", "00:00:15");

    [Theory]
    [InlineData("killed and restarted")]
    [InlineData("stalled and resumed")]
    public async Task Clients_outlive_a_Redis_that_is(string how)
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var api = await ProgramProcess.StartApiAsync(redis, NoticesStalls);
        await using var node = await StartNodeAsync(redis, ("Push:Merge:Window", "00:00:00.2"), NoticesStalls);
        var room = Room.New();
        var witnesses = new List<(WsClient Client, OutageWitness Seen)>();
        for (var i = 0; i < 50; i++)
        {
            var seen = new OutageWitness(room);
            witnesses.Add((await WsClient.ConnectAsync(node.NodePort, $"/ws?room={room}", new WsOptions { OnMessage = seen.Take }), seen));
        }

        await using var asking = await WsClient.ConnectAsync(node.NodePort);

        using var stop = new CancellationTokenSource();
        var load = new RoomLoad(room, () => api.ApiPort);
        var watching = WatchHealthAsync(node, stop.Token);
        await Eventually.HoldsAsync(() => witnesses.All(witness => load.HasAccepted(witness.Seen.Saw)), "everybody receives", () => node.Log);

        if (how.StartsWith("killed", StringComparison.Ordinal))
            await redis.StopAsync();
        else
            redis.Suspend();
        await node.BecomesUnreadyAsync();
        await Eventually.HoldsAsync(() => load.Refused.Count >= 2, "the API answers 503", () => api.Log);
        await asking.SendAsync(WsClient.JoinText("later"));
        Assert.Equal("backplane_away", (await asking.NextAsync("ERROR")).Code);
        await asking.PingAsync();

        if (how.StartsWith("killed", StringComparison.Ordinal))
            await redis.StartAsync();
        else
            redis.Resume();
        await node.BecomesReadyAsync();
        await api.BecomesReadyAsync();
        while (await asking.NextAsync() is { Type: not "JOINED" } message)
            Assert.Equal("GAP", message.Type);
        await Http.PublishAsync(api, "later", "1");
        while (await asking.NextAsync() is { Type: not "PUSH" } message)
            Assert.Equal("GAP", message.Type);

        await load.StopAsync();
        await stop.CancelAsync();
        await watching;
        const int Marker = 1_000_000;
        await Http.PublishAsync(api, room, $$"""{"n":{{Marker}}}""");
        await Eventually.HoldsAsync(() => witnesses.All(witness => witness.Seen.Saw(Marker) || witness.Client.Ended.IsCompleted), "messages flow again", () => node.Log);

        load.Add(Marker);
        var numbers = load.Accepted;
        Assert.All(witnesses, witness => Assert.Null(witness.Seen.Fault(numbers, gaps: 1)));
        Assert.All(witnesses, witness => Assert.False(witness.Client.Ended.IsCompleted, "disconnected"));
        Assert.All(load.Refused, answer => Assert.Equal((HttpStatusCode.ServiceUnavailable, true), (answer.Status, answer.Headers.ContainsKey("Retry-After"))));
        Assert.True((await Metrics.ScrapeAsync(node))["push_backplane_reconnects_total"] >= 1);
        foreach (var (client, _) in witnesses)
            await client.DisposeAsync();
    }

    [Fact]
    public async Task A_farm_started_before_its_Redis_is_alive_and_later_ready()
    {
        await using var redis = RedisProcess.NotStarted();
        var (port, nodeManagement, apiPort, apiManagement) = (FreePort.Next(), FreePort.Next(), FreePort.Next(), FreePort.Next());
        await using var node = ProgramProcess.Start(
            "PushNode", [.. TransportSettings, NoticesStalls, ("ConnectionStrings:Redis", redis.EndPoint), ("Management:Port", $"{nodeManagement}")],
            ["--urls", $"http://127.0.0.1:{port}"], nodePort: port, managementPort: nodeManagement);
        await using var api = ProgramProcess.Start(
            "PushApi", [NoticesStalls, ("ConnectionStrings:Redis", redis.EndPoint), ("Management:Port", $"{apiManagement}")],
            ["--urls", $"http://127.0.0.1:{apiPort}"], apiPort: apiPort, managementPort: apiManagement);
        foreach (var program in (ProgramProcess[])[node, api])
        {
            await Eventually.HoldsAsync(async () => await Http.StatusAsync(program.ManagementPort, "/healthz") == HttpStatusCode.OK, "alive", () => program.Log);
            // It must serve already; before that it is not ready for another reason.
            await Eventually.HoldsAsync(async () => (await Http.GetAsync(program.ManagementPort, "/readyz")).Body == $"Redis at {redis.EndPoint} does not answer.", "not ready for want of Redis", () => program.Log);
        }

        await using var client = await WsClient.ConnectAsync(port);
        await client.SendAsync(WsClient.JoinText("r"));
        Assert.Equal("backplane_away", (await client.NextAsync("ERROR")).Code);
        var refused = await Http.PostAsync(apiPort, "/v1/rooms/r/messages", Http.Json, "1");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.Status);
        Assert.Contains("Retry-After", refused.Headers.Keys, StringComparer.OrdinalIgnoreCase);
        Assert.Equal(Http.Problem, refused.MediaType);

        await redis.StartAsync();
        await client.NextAsync("JOINED");
        await node.BecomesReadyAsync();
        await api.BecomesReadyAsync();
        await Http.PublishAsync(api, "r", "1");
        Assert.Equal(["1"], await client.NextItemsAsync("r", 1));
    }

    [Fact]
    public async Task Joins_and_leaves_during_a_stall_leave_nothing_pending()
    {
        const int Flaps = 100;
        await using var redis = await RedisProcess.StartNewAsync();
        await using var node = await StartNodeAsync(redis, ("Push:Connections:JoinBurst", "1000"), NoticesStalls);
        var room = Room.New();
        await using var staying = await WsClient.ConnectAsync(node.NodePort);
        redis.Suspend();
        await node.BecomesUnreadyAsync();
        await staying.SendAsync(WsClient.JoinText(room));
        Assert.Equal("backplane_away", (await staying.NextAsync("ERROR")).Code);

        // Each client joins and leaves, and disconnects while it waits.
        for (var i = 0; i < 20; i++)
        {
            await using var flapping = await WsClient.ConnectAsync(node.NodePort, $"/ws?room={room}");
            for (var flap = 0; flap < Flaps; flap++)
            {
                Assert.Equal("backplane_away", (await flapping.NextAsync("ERROR")).Code);
                await flapping.SendAsync(WsClient.LeaveText(room));
                await flapping.NextAsync("LEFT");
                await flapping.SendAsync(WsClient.JoinText(room));
            }

            Assert.InRange((await Metrics.ScrapeAsync(node))["push_joins_waiting"], 1, 2 + i);
        }

        await Metrics.UntilAsync(node, metrics => metrics["push_joins_waiting"] == 1, "only the one who stays waits");
        redis.Resume();
        while (await staying.NextAsync() is { Type: not "JOINED" } message)
            Assert.Equal("GAP", message.Type);
        await using var late = await WsClient.ConnectAsync(node.NodePort, $"/ws?room={Room.New()}");
        // The GAP of the broadcasts may be still to come.
        while (await late.NextAsync() is { Type: not "JOINED" } message)
            Assert.Equal("GAP", message.Type);
        Assert.Equal(0, (await Metrics.ScrapeAsync(node))["push_joins_waiting"]);
    }

    private static async Task WatchHealthAsync(ProgramProcess node, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            Assert.Equal(HttpStatusCode.OK, await Http.StatusAsync(node.ManagementPort, "/healthz"));
            await Task.Delay(100, CancellationToken.None);
        }
    }

    public sealed class OverEpoll() : OutageTests(NodeTransport.Epoll);

    public sealed class OverKestrel() : OutageTests(NodeTransport.Stream);
}
