using System.Net.Sockets;
using System.Text;
using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary><c>/sse</c> and <c>/stream</c> of a real node.</summary>
public abstract class StreamTests(NodeTransport transport) : TransportTests(transport)
{
    private const int SmallReceiveBuffer = 8 * 1024;

    private static readonly string Pad = new('x', 20_000);

    [Fact]
    public async Task Curl_shows_messages_as_they_come()
    {
        await using var farm = await StartFarmAsync(
            ("Push:Connections:HeartbeatAfter", "00:00:01"), ("Push:Connections:CloseTimeout", "00:01:00"), ("Push:Drain:Deadline", "00:02:00"));
        await using var stream = Tool.Start("curl", ["-sN", $"http://127.0.0.1:{farm.NodePort}/stream?room=demo"]);
        await using var sse = Tool.Start("curl", ["-sN", $"http://127.0.0.1:{farm.NodePort}/sse?room=demo"]);
        await stream.WroteAsync("{\"type\":\"JOINED\",\"data\":{\"room\":\"demo\"}}");
        await sse.WroteAsync("event: joined\ndata: {\"room\":\"demo\"}\n");
        Assert.StartsWith("retry: ", sse.Output, StringComparison.Ordinal);
        await Http.PublishAsync(farm, "demo", "{\"text\":\"大家好\"}");
        await stream.WroteAsync("{\"type\":\"PUSH\",\"data\":{\"room\":\"demo\",\"items\":[{\"text\":\"大家好\"}]}}");
        await sse.WroteAsync("event: push\ndata: {\"room\":\"demo\",\"items\":[{\"text\":\"大家好\"}]}\n");
        await sse.WroteAsync("\n:\n");

        farm.Signal(Signals.Terminate);
        // 18 would be a response that ends without its last chunk.
        Assert.Equal(0, await stream.ExitAsync());
        Assert.Equal(0, await sse.ExitAsync());
        Assert.Contains("{\"type\":\"CLOSE\",\"data\":{\"code\":1001,\"reason\":\"retry=", stream.Output, StringComparison.Ordinal);
        Assert.Contains("\nevent: close\ndata: {\"code\":1001,\"reason\":\"retry=", sse.Output, StringComparison.Ordinal);
        Assert.Equal(0, await farm.ExitAsync());
        Assert.Contains("; 0 connections were cut", farm.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Slow_readers_get_their_GAP_and_the_others_lose_nothing()
    {
        const int Fast = 10, Slow = 4, Rounds = 150;
        await using var redis = await RedisProcess.StartNewAsync();
        await using var publisher = await RedisPublisher.ConnectAsync(redis);
        // However long the load takes, those that do not read stay.
        await using var node = await StartNodeAsync(
            redis, ("Push:Merge:MaxBatchBytes", "32768"), ("Push:Outbox:MaxBytes", "262144"), ("Push:Outbox:StuckAfter", "00:10:00"),
            ("Push:Connections:CloseAfter", "01:00:00"));
        var room = Room.New();
        var members = await Member.JoinAsync(node, room, Fast);
        var fast = await JoinAsync(node, room, Fast);
        var slow = await JoinAsync(node, room, Slow, SmallReceiveBuffer);
        foreach (var (client, _) in slow)
            client.StopReading();

        var published = 0;
        for (var round = 0; round <= Rounds; round++)
        {
            if (round == Rounds)
            {
                await Metrics.UntilAsync(node, metrics => metrics["push_deliveries_dropped_total"] >= Slow, "deliveries are dropped");
                foreach (var (client, _) in slow)
                    client.ResumeReading();
            }

            await PublishAsync(publisher, room, published);
            published += 2;
            await Member.SawAllAsync(members, published, node);
            await SawAllAsync(fast, published, node);
        }

        await SawAllAsync(slow, published, node);
        Assert.All(fast, each => Assert.Equal(0, each.Stream.Missed));
        Assert.All(slow, each => Assert.InRange(each.Stream.Missed, 1, published));
        var metrics = await Metrics.UntilAsync(
            node, metrics => metrics["push_deliveries_expected_total"] == published * (2 * Fast + Slow) && Settled(metrics), "all are expected, and expected = deliveries + dropped");
        Assert.Equal(slow.Sum(each => each.Stream.Missed), metrics["push_deliveries_dropped_total"]);
        foreach (var (client, _) in fast.Concat(slow))
            await client.DisposeAsync();
        foreach (var member in members)
            await member.DisposeAsync();
    }

    [Fact]
    public async Task A_thousand_clients_that_never_read_cost_others_nothing()
    {
        const int Sleepers = 1000;
        await using var redis = await RedisProcess.StartNewAsync();
        await using var publisher = await RedisPublisher.ConnectAsync(redis);
        await using var node = await StartNodeAsync(
            redis, ("Push:Merge:MaxBatchBytes", "32768"), ("Push:Outbox:MaxBytes", "262144"), ("Push:Outbox:StuckAfter", "00:00:05"), ("Push:Connections:CloseTimeout", "00:00:02"),
            ("Push:Connections:SendBufferBytes", "8192"));
        var room = Room.New();
        var fast = await JoinAsync(node, room, 2);
        var sleepers = new List<Socket>();
        for (var i = 0; i < Sleepers; i++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 2048 };
            sleepers.Add(socket);
            await socket.ConnectAsync("127.0.0.1", node.NodePort, TestContext.Current.CancellationToken);
            await socket.SendAsync(Encoding.ASCII.GetBytes(RawClient.Get($"/{(i % 2 == 0 ? "sse" : "stream")}?room={room}")), TestContext.Current.CancellationToken);
        }

        await Metrics.UntilAsync(node, metrics => metrics["push_connections"] == Sleepers + 2, "all are connected");
        for (var published = 2; published <= 20; published += 2)
        {
            await PublishAsync(publisher, room, published - 2);
            await SawAllAsync(fast, published, node);
        }

        var after = await Metrics.UntilAsync(node, metrics => metrics["push_connections"] == 2 && Settled(metrics), "only the readers are left");
        Assert.Equal(Sleepers, after["push_connections_closed_total{reason=\"slow\"}"]);
        Assert.All(fast, each => Assert.Equal(0, each.Stream.Missed));
        sleepers.ForEach(socket => socket.Dispose());
        foreach (var (client, _) in fast)
            await client.DisposeAsync();
    }

    /// <summary>Publishes two messages, which fill a batch, so that they are one frame at once.</summary>
    private static Task<IReadOnlyList<int>> PublishAsync(RedisPublisher publisher, string room, int first) => publisher.PublishAsync(
        Room.Channel(room), [.. Enumerable.Range(first, 2).Select(n => Encoding.UTF8.GetBytes($"{{\"n\":{n},\"pad\":\"{Pad}\"}}"))]);

    private static bool Settled(Metrics metrics) => metrics["push_deliveries_expected_total"] == metrics["push_deliveries_total"] + metrics["push_deliveries_dropped_total"];

    /// <summary>Half of them over server-sent events, half over the stream.</summary>
    private static async Task<List<(StreamClient Client, NumberedStream Stream)>> JoinAsync(ProgramProcess node, string room, int count, int? receiveBuffer = null)
    {
        var clients = new List<(StreamClient, NumberedStream)>();
        for (var i = 0; i < count; i++)
        {
            var stream = new NumberedStream(room);
            var joined = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var client = await StreamClient.ConnectAsync(node.NodePort, $"/{(i % 2 == 0 ? "sse" : "stream")}?room={room}", receiveBuffer, message =>
            {
                if (message.Type == "JOINED")
                    joined.TrySetResult();
                stream.Take(message);
            });
            await Eventually.CompletesAsync(joined.Task, "JOINED", () => node.Log);
            clients.Add((client, stream));
        }

        return clients;
    }

    private static async Task SawAllAsync(List<(StreamClient Client, NumberedStream Stream)> clients, int next, ProgramProcess node)
    {
        await Eventually.HoldsAsync(
            () => clients.All(each => each.Stream.Next >= next || each.Stream.Fault is not null || each.Client.Ended.IsCompleted),
            $"{clients.Count} clients saw all below {next}", () => node.Log);
        foreach (var (client, stream) in clients)
        {
            Assert.Null(stream.Fault);
            Assert.False(client.Ended.IsCompleted, client.Ended.IsCompleted ? client.Ended.Result.ToString() : "");
            Assert.Equal(next, stream.Next);
        }
    }

    public sealed class OverEpoll() : StreamTests(NodeTransport.Epoll);

    public sealed class OverIoUring() : StreamTests(NodeTransport.IoUring);

    public sealed class OverKestrel() : StreamTests(NodeTransport.Stream);
}
