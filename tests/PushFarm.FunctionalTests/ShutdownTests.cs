using System.Text.RegularExpressions;
using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>On SIGTERM the last batches are sent, each client gets a retry hint, and the process exits with 0.</summary>
public abstract partial class ShutdownTests(NodeTransport transport) : TransportTests(transport)
{
    [Fact]
    public async Task Two_thousand_clients_get_the_last_batch_and_then_a_retry_hint()
    {
        const int Clients = 2000;
        await using var redis = await RedisProcess.StartNewAsync();
        // Slow enough to observe the draining node, and a window that the second message does not outlast.
        await using var node = await StartNodeAsync(
            redis, ("Push:Merge:Window", "00:01:00"), ("Push:Drain:Over", "00:00:20"), ("Push:Drain:Deadline", "00:02:00"),
            ("Push:Connections:CloseTimeout", "00:01:00"));
        await using var publisher = await RedisPublisher.ConnectAsync(redis);
        var room = Room.New();
        var members = await Member.JoinAsync(node, room, Clients);
        await publisher.PublishAsync(Room.Channel(room), "{\"n\":0}");
        await Member.SawAllAsync(members, 1, node);
        await publisher.PublishAsync(Room.Channel(room), "{\"n\":1}");
        await Metrics.UntilAsync(node, metrics => metrics["push_messages_received_total"] == 2, "the second message waits for its window");
        Assert.Equal(1, members[0].Stream.Next);

        node.Signal(Signals.Terminate);
        await node.BecomesUnreadyAsync();
        Assert.Equal(System.Net.HttpStatusCode.OK, await Http.StatusAsync(node.ManagementPort, "/healthz"));
        var (refused, answer) = await WsClient.TryConnectAsync(node.NodePort);
        Assert.Null(refused);
        Assert.Equal(503, answer.Status);

        var ends = await Task.WhenAll(members.Select(member => member.Client.EndAsync()));
        Assert.All(members, member => Assert.True(member.Stream is { Next: 2, Fault: null }, $"at {member.Stream.Next}, {member.Stream.Fault}"));
        Assert.All(ends, end => Assert.True(end.Code == 1001 && end.Error is null, end.ToString()));
        var hints = ends.Select(end => RetryHint().Match(end.Reason)).ToList();
        Assert.All(hints, hint => Assert.True(hint.Success));
        // Jittered, so that two thousand clients do not reconnect at once.
        Assert.True(hints.Select(hint => hint.Value).Distinct().Count() > 10);
        Assert.Equal(0, await node.ExitAsync());
        Assert.DoesNotContain("   at ", node.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Clients_that_do_not_echo_the_close_do_not_delay_the_exit()
    {
        await using var farm = await StartFarmAsync();
        var clients = new List<WsClient>();
        for (var i = 0; i < 20; i++)
        {
            clients.Add(await WsClient.ConnectAsync(farm.NodePort, options: new WsOptions { EchoesClose = false }));
            await clients[i].PingAsync();
            if (i % 2 == 0)
                clients[i].StopReading();
        }

        farm.Signal(Signals.Terminate);
        Assert.Equal(0, await farm.ExitAsync());
        foreach (var client in clients)
            await client.DisposeAsync();
    }

    [Fact]
    public async Task A_client_that_closes_with_unread_bytes_does_not_delay_the_exit()
    {
        // A client that delays the exit would delay it by an hour.
        await using var farm = await StartFarmAsync(
            ("Push:Connections:SendBufferBytes", "4096"), ("Push:Connections:CloseTimeout", "00:00:01"), ("Push:Drain:Deadline", "01:00:00"));
        var room = Room.New();
        await using var client = await WsClient.ConnectAsync(farm.NodePort, options: new WsOptions { ReceiveBuffer = 4096 });
        await client.JoinAsync(room);
        client.StopReading();
        // More than the kernel buffers here, less than Kestrel's write limit.
        await Http.PublishAsync(farm, room, $"\"{new string('x', 60_000)}\"");
        await Metrics.UntilAsync(farm, metrics => metrics["push_deliveries_expected_total"] == 1, "the frame is on its way");
        await client.SendBytesAsync(ClientFrame.Of(WsOpcode.Close, ClientFrame.ClosePayload(1000)));
        await Metrics.UntilAsync(farm, metrics => metrics["push_connections"] == 0, "the close is answered");

        farm.Signal(Signals.Terminate);
        Assert.Equal(0, await farm.ExitAsync());
    }

    [Theory]
    [InlineData("PushNode")]
    [InlineData("PushApi")]
    [InlineData("PushFarm")]
    public async Task A_program_without_clients_exits_with_0_even_without_its_Redis(string program)
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var process = program switch
        {
            "PushNode" => await StartNodeAsync(redis),
            "PushApi" => await ProgramProcess.StartApiAsync(redis),
            _ => await StartFarmAsync(("ConnectionStrings:Redis", redis.EndPoint)),
        };
        await redis.StopAsync();
        process.Signal(Signals.Terminate);
        Assert.Equal(0, await process.ExitAsync());
    }

    [GeneratedRegex("^retry=[0-9]+$")]
    private static partial Regex RetryHint();

    public sealed class OverEpoll() : ShutdownTests(NodeTransport.Epoll);

    public sealed class OverIoUring() : ShutdownTests(NodeTransport.IoUring);

    public sealed class OverKestrel() : ShutdownTests(NodeTransport.Stream);
}
