using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using PushNode.Telemetry;
using PushNode.Transport.Epoll;
using TestSupport.Clients;

namespace PushNode.Tests.Transport.Epoll;

/// <summary>How connections are spread over loops, and over nodes that share a port.</summary>
[Collection(EpollTests.Name)]
public sealed class BalanceTests
{
    private const int Loops = 8;
    private const int Count = 1000;

    /// <summary>Of connections that come at once, a loop may take more while the others wait for a core.</summary>
    [Theory]
    [InlineData(1, Count / 5)]
    [InlineData(50, 2 * Count / 5)]
    public async Task Loops_take_turns_in_accepting(int atOnce, int atMost)
    {
        using var metrics = new TestMetrics();
        var failures = new Failures(FailedStage.Client, metrics.Node, TimeProvider.System);
        var loops = Enumerable.Range(0, Loops).Select(index => new EpollLoop(index, failures)).ToArray();
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen(Count);
        socket.Blocking = false;
        await using var listener = new EpollListener(socket, loops, new AcceptPauses(metrics.Node, TimeProvider.System, new LogRecorder<AcceptPauses>()));
        await listener.StartAsync();

        var clients = new List<RawClient>();
        while (clients.Count < Count)
        {
            clients.AddRange(await Task.WhenAll(Enumerable.Range(0, atOnce).Select(_ => RawClient.ConnectAsync((IPEndPoint)listener.EndPoint))));
            await Eventually.HoldsAsync(() => loops.Sum(loop => loop.Connections) == clients.Count, "all are accepted");
        }

        var most = loops.Max(loop => loop.Connections);
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(' ', loops.Select(loop => loop.Connections)));
        clients.ForEach(client => client.Dispose());
        await listener.UnbindAsync(TestContext.Current.CancellationToken);
        while (await listener.AcceptAsync(TestContext.Current.CancellationToken) is { } connection)
            await connection.DisposeAsync();
        foreach (var loop in loops)
            loop.Dispose();
        Assert.InRange(most, Count / Loops, atMost);
    }

    [Fact]
    public async Task Nodes_that_share_a_port_share_its_clients()
    {
        await using var first = await StartAsync(0, "a");
        await using var second = await StartAsync(first.Port, "b");
        var clients = new ConcurrentBag<RawClient>();
        // Of 64 connections one node gets none with a probability of 2 in 2 to the power of 64.
        await Parallel.ForAsync(0, 64, TestContext.Current.CancellationToken, async (_, _) => clients.Add(await RawClient.UpgradeAsync(first.EndPoint)));
        Assert.Equal(64, first.Open + second.Open);
        Assert.InRange(first.Open, 1, 63);
        Assert.Equal(first.Open, first.Metrics.Read("push.loop_connections"));

        foreach (var client in clients)
            client.Dispose();
        await first.IsEmptyAsync();
        await first.StopAsync();
        await second.ServesAsync();
    }

    [Fact]
    public async Task A_node_that_does_not_share_its_port_finds_a_shared_one_in_use()
    {
        await using var node = await StartAsync(0, "a");
        var failure = await Assert.ThrowsAsync<IOException>(() => NodeHost.StartAsync($"http://127.0.0.1:{node.Port}"));
        Assert.Contains("address already in use", failure.Message, StringComparison.Ordinal);
    }

    private static Task<NodeHost> StartAsync(int port, string name) => NodeHost.StartAsync(
        $"http://127.0.0.1:{port}", settings: [("Push:Connections:SharePort", "true"), ("Push:Node", name)]);
}
