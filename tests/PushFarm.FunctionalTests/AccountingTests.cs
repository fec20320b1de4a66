using System.Text;
using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>Rule 6: once the node is idle, received = merged + dropped and expected = deliveries + dropped deliveries, exactly.</summary>
public abstract class AccountingTests(NodeTransport transport, ITestOutputHelper output) : TransportTests(transport)
{
    private const int Rooms = 4;
    private const int Rounds = 300;

    [Fact]
    public async Task The_counters_balance_after_load_with_slow_readers_and_bad_payloads()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using var redis = await RedisProcess.StartNewAsync();
        await using var node = await StartNodeAsync(
            redis, ("Push:Merge:Window", "00:00:00.1"), ("Push:Merge:MaxBatchBytes", "32768"), ("Push:Outbox:MaxBytes", "262144"));
        await using var publisher = await RedisPublisher.ConnectAsync(redis);
        var series = (await Metrics.ScrapeAsync(node)).Series.ToHashSet();

        // One member stays in each room, so that the room stays subscribed and every published message is received.
        var rooms = Enumerable.Range(0, Rooms).Select(i => Room.New($"r{i}")).ToList();
        var clients = new List<WsClient>();
        foreach (var room in rooms)
        {
            clients.Add(await ConnectAsync(node, room, reads: true));
            for (var i = 0; i < 5; i++)
                clients.Add(await ConnectAsync(node, room, reads: false));
        }

        using var stop = new CancellationTokenSource();
        var coming = Task.WhenAll(Enumerable.Range(0, 4).Select(i => ComeAndGoAsync(node, rooms, new Random(seed + i), stop.Token)));
        var published = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var channel = random.Next(10) == 0 ? "push:all" : Room.Channel(rooms[random.Next(Rooms)]);
            var payloads = Enumerable.Range(0, random.Next(1, 8)).Select(_ => RandomPayload(random, ref published)).ToList();
            await publisher.PublishAsync(channel, payloads);
            await Task.Delay(random.Next(0, 10), TestContext.Current.CancellationToken);
        }

        await stop.CancelAsync();
        await coming;
        // A cut, resumed reading, or an orderly close empties each outbox.
        foreach (var sleeper in clients.Where((_, i) => i % 6 > 0))
        {
            if (random.Next(2) == 0)
                sleeper.Reset();
            else
                sleeper.ResumeReading();
        }

        var metrics = await Metrics.UntilAsync(
            node,
            m => m["push_messages_received_total"] == published
                && m["push_messages_received_total"] == m["push_messages_merged_total"] + m["push_messages_dropped_total"]
                && m["push_deliveries_expected_total"] == m["push_deliveries_total"] + m["push_deliveries_dropped_total"]
                && m["push_connections_accepted_total"] == m["push_connections"] + m["push_connections_closed_total"]
                && m["push_batches_total"] == m["push_batch_messages_count"]
                && m["push_messages_merged_total"] == m["push_batch_messages_sum"],
            $"{published} received = merged + dropped, expected = deliveries + dropped deliveries, accepted = open + closed, and the batches are the same in both metrics");
        Assert.True(metrics["push_messages_dropped_total"] > 0, "no bad payload was among the load");
        Assert.True(metrics["push_deliveries_dropped_total"] > 0, "no reader was slow enough");
        // Counters are exported from the start, because rate() misses the first increase of a counter that appears later.
        Assert.All(metrics.Series.Where(name => name.StartsWith("push_", StringComparison.Ordinal) && name.Contains("_total", StringComparison.Ordinal)), name => Assert.Contains(name, series));
        foreach (var histogram in (string[])["push_shard_lock_wait_seconds", "push_fanout_duration_seconds", "push_publish_latency_seconds", "push_backplane_roundtrip_seconds"])
            Assert.True(metrics[$"{histogram}_count"] > 0, histogram);
        foreach (var client in clients)
            await client.DisposeAsync();
    }

    /// <summary>A good message, an envelope, or one of several kinds of rubbish.</summary>
    private static byte[] RandomPayload(Random random, ref int published)
    {
        var json = Encoding.UTF8.GetBytes($"{{\"pad\":\"{new string('x', random.Next(1, 20_000))}\"}}");
        published++;
        switch (random.Next(10))
        {
            case 0:
                return [0xFF, .. json];
            case 1:
                return [.. "\"half a character "u8, 0xE9, 0xBB, (byte)'"'];
            case 2:
                return EnvelopeBytes.Of(1, [json])[..random.Next(1, 13)];
            case 3:
                // One good item, one bad, one good.
                published += 2;
                return EnvelopeBytes.Of(1, ["1"u8.ToArray(), [0xFE], json]);
            case 4:
                return "plain text"u8.ToArray();
            default:
                return json;
        }
    }

    private static async Task<WsClient> ConnectAsync(ProgramProcess node, string room, bool reads)
    {
        var joined = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var client = await WsClient.ConnectAsync(node.NodePort, $"/ws?room={room}", new WsOptions { ReceiveBuffer = reads ? null : 8192, OnMessage = _ => joined.TrySetResult() });
        await Eventually.CompletesAsync(joined.Task, "JOINED");
        if (!reads)
            client.StopReading();
        return client;
    }

    private static async Task ComeAndGoAsync(ProgramProcess node, List<string> rooms, Random random, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await using var client = await WsClient.ConnectAsync(node.NodePort, options: new WsOptions { OnMessage = _ => { } });
            for (var i = random.Next(1, 10); i > 0; i--)
            {
                var room = rooms[random.Next(rooms.Count)];
                await client.SendHostileAsync(ClientFrame.Text(random.Next(2) == 0 ? WsClient.JoinText(room) : WsClient.LeaveText(room)));
                await Task.Delay(random.Next(0, 20), CancellationToken.None);
            }

            switch (random.Next(4))
            {
                case 0:
                    client.Reset();
                    break;
                case 1:
                    await client.SendHostileAsync(ClientFrame.Of(WsOpcode.Close, ClientFrame.ClosePayload(1000)));
                    await client.EndAsync();
                    break;
                case 2:
                    await client.SendHostileAsync([0xFF, 0xFF]);
                    break;
                default:
                    client.Finish();
                    break;
            }
        }
    }

    public sealed class OverEpoll(ITestOutputHelper output) : AccountingTests(NodeTransport.Epoll, output);

    public sealed class OverIoUring(ITestOutputHelper output) : AccountingTests(NodeTransport.IoUring, output);

    public sealed class OverKestrel(ITestOutputHelper output) : AccountingTests(NodeTransport.Stream, output);
}
