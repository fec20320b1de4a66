using System.Text.Json;

namespace PushNode.Tests.History;

/// <summary>Clients that come and go while messages arrive, are missed and are read again. Each checks that it hears every message once.</summary>
public sealed class ResumeRaceTests(ITestOutputHelper output)
{
    private const int Messages = 1_500;

    [Fact]
    public async Task Each_client_hears_each_message_once_whatever_happens_meanwhile()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        using var node = new RememberingNode(size: 10_000);
        await node.JoinAsync("r");
        using var end = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var flushing = FlushAsync();
        var clients = Enumerable.Range(0, 6).Select(i => Task.Run(() => ComeAndGoAsync(node, new Random(seed + i)), end.Token)).ToArray();
        await Task.Run(() => Publish(node.History, node.Node.Backplane, new Random(seed - 1)), end.Token);
        foreach (var heard in await Task.WhenAll(clients))
            Assert.Equal(Enumerable.Range(heard[0], Messages - heard[0] + 1), heard);
        await end.CancelAsync();
        await flushing;

        async Task FlushAsync()
        {
            while (!end.IsCancellationRequested)
            {
                await node.Node.FlushAsync();
                await Task.Yield();
            }
        }
    }

    /// <summary>Publishes the numbers from 1 on, so that a message's offset is its number.</summary>
    private static void Publish(FakeHistory history, FakeBackplane backplane, Random random)
    {
        for (var number = 1; number <= Messages;)
        {
            var items = Enumerable.Range(number, Math.Min(random.Next(1, 4), Messages - number + 1)).Select(item => $"{item}").ToArray();
            number += items.Length;
            switch (random.Next(20))
            {
                case 0:
                    backplane.GoAway();
                    history.Miss("r", items);
                    backplane.ComeBack();
                    break;
                case 1 when number <= Messages:
                    history.Miss("r", items);
                    break;
                case 2:
                    var entry = history.Miss("r", items);
                    history.Publish("r", entry);
                    history.Publish("r", entry);
                    break;
                default:
                    history.Append("r", items);
                    break;
            }

            if (random.Next(4) == 0)
                Thread.Sleep(0);
        }
    }

    /// <summary>Joins, listens for some frames and goes, and comes back with its position, until it has the last message.</summary>
    private static async Task<List<int>> ComeAndGoAsync(RememberingNode node, Random random)
    {
        var heard = new List<int>();
        for (string? position = null; heard.Count == 0 || heard[^1] < Messages;)
        {
            var client = node.Join("r", out _, position, last: position is null ? 3 : 0);
            await RememberingNode.HasAsync(client, frames => frames.Length > 0 && frames[0] != "ERROR backplane_away" || frames.Length > 1, "JOINED");
            var frames = random.Next(4);
            for (var i = 0; i < 50 && client.Frames.Count <= frames; i++)
                await Task.Yield();
            client.End();
            position = Take(client, position, heard);
        }

        return heard;
    }

    private static string? Take(TestClient client, string? position, List<int> heard)
    {
        foreach (var frame in client.Frames)
        {
            using var message = JsonDocument.Parse(frame.Payload);
            var data = message.RootElement.GetProperty("data");
            if (frame.Type is "JOINED" && position is not null)
                Assert.True(data.GetProperty("recovered").GetBoolean(), frame.Text);
            if (frame.Type is not ("PUSH" or "JOINED") || !data.TryGetProperty("room", out _))
                continue;
            position = $"{data.GetProperty("epoch").GetString()}.{data.GetProperty("offset").GetInt64()}";
            if (frame.Type == "PUSH")
                heard.AddRange(data.GetProperty("items").EnumerateArray().Select(item => item.GetInt32()));
        }

        return position;
    }
}
