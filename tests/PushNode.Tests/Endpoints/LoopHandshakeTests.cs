using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PushNode.Tests.Transport.Epoll;
using TestSupport.Clients;

namespace PushNode.Tests.Endpoints;

/// <summary>Which handshakes the loops answer, and what hostile clients and ends of the node do to them.</summary>
[Collection(EpollTests.Name)]
public sealed class LoopHandshakeTests
{
    [Fact]
    public async Task A_plain_handshake_never_reaches_Kestrel()
    {
        await using var node = await NodeHost.StartAsync();
        using var first = await RawClient.UpgradeAsync(node.EndPoint, "/ws?room=a");
        Assert.Equal("JOINED a", (await first.NextFrameAsync()).Summary.TrimEnd());
        using var second = await RawClient.UpgradeAsync(node.EndPoint, "/connect");
        Assert.Equal(0, node.Metrics.Read("push.handshakes_pending"));
        await Eventually.HoldsAsync(() => node.Metrics.Read("push.loop_handshakes") == 2, "the loops have counted both");
    }

    /// <summary>An operator who wants a line for each request gets it for handshakes too.</summary>
    [Fact]
    public async Task Handshakes_are_in_the_log_of_requests()
    {
        var log = new RequestLog();
        await using var node = await NodeHost.StartAsync(configure: services => services.AddLogging(logging => logging.AddProvider(log).SetMinimumLevel(LogLevel.Information)));
        using var client = await RawClient.UpgradeAsync(node.EndPoint, "/ws?room=logged");
        Assert.Contains(log.Lines, line => line.Contains("/ws", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_host_that_the_operator_does_not_allow_is_refused()
    {
        await using var node = await NodeHost.StartAsync(settings: ("AllowedHosts", "example.com"));
        using var client = await RawClient.ConnectAsync(node.EndPoint);
        await client.SendAsync(RawClient.Handshake());
        Assert.StartsWith("HTTP/1.1 400 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
    }

    /// <summary>Around the size of the buffer into which a loop reads first.</summary>
    [Theory]
    [InlineData(8191)]
    [InlineData(8192)]
    [InlineData(8193)]
    [InlineData(20_000)]
    public async Task A_head_of_any_size_that_Kestrel_takes_is_answered(int length)
    {
        await using var node = await NodeHost.StartAsync();
        using var client = await RawClient.ConnectAsync(node.EndPoint);
        var bare = RawClient.Handshake("/ws?room=a", "Cookie: \r\n").Length;
        await client.SendAsync(RawClient.Handshake("/ws?room=a", $"Cookie: {new string('c', length - bare)}\r\n"));
        Assert.StartsWith("HTTP/1.1 101 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
        Assert.Equal("JOINED", (await client.NextFrameAsync()).Type);
    }

    [Fact]
    public async Task Thousands_of_silent_clients_keep_to_their_limit_and_nobody_out()
    {
        await using var node = await NodeHost.StartAsync(
            settings: [("Push:Connections:MaxHandshakes", "100"), ("Push:Connections:HandshakeTimeout", "00:05:00")]);
        var silent = new ConcurrentBag<RawClient>();
        await Parallel.ForAsync(0, 2000, TestContext.Current.CancellationToken, async (_, _) =>
        {
            try
            {
                silent.Add(await RawClient.ConnectAsync(node.EndPoint));
            }
            catch (SocketException)
            {
                // Expected: it was cut at once.
            }
        });
        await Eventually.HoldsAsync(() => node.Metrics.Read("push.handshakes_cut") == 1900, "all but 100 are cut");
        Assert.Equal(100, node.Metrics.Read("push.handshakes_pending"));
        // Once they are a second old, newcomers take their places.
        await Eventually.HoldsAsync(() => IsServedAsync(node), "a client is let in");
        foreach (var client in silent)
            client.Dispose();
        await Eventually.HoldsAsync(() => node.Metrics.Read("push.handshakes_pending") == 0, "no place is taken");
        await node.IsEmptyAsync();
    }

    /// <summary>A broadcast must not get between a client and the head of its answer, whenever it comes.</summary>
    [Fact]
    public async Task The_head_comes_before_broadcasts_of_other_threads()
    {
        await using var node = await NodeHost.StartAsync();
        using var stop = new CancellationTokenSource();
        var publishing = Task.Run(
            async () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    await node.BroadcastAsync("1");
                    await Task.Delay(1, CancellationToken.None);
                }
            },
            TestContext.Current.CancellationToken);
        await Parallel.ForAsync(0, 1500, new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = TestContext.Current.CancellationToken }, async (_, _) =>
        {
            using var client = await RawClient.UpgradeAsync(node.EndPoint, "/ws?room=a");
            while ((await client.NextFrameAsync()).Type != "JOINED")
            {
                // A broadcast.
            }
        });
        await stop.CancelAsync();
        await publishing;
        await node.IsEmptyAsync();
        Assert.Equal(1500, node.Metrics.Read("push.loop_handshakes"));
        Assert.Equal(0, node.Metrics.Read("push.failures"));
        await node.Metrics.DeliveriesCloseAsync();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    public async Task A_node_that_stops_in_a_storm_leaves_nobody_waiting(int opened)
    {
        // Enough time for a hundred of the storm to send their handshakes on a busy machine.
        await using var node = await NodeHost.StartAsync(
            configure: NodeHost.WithoutKestrelsDeadline,
            settings: [("Push:Connections:CloseTimeout", "00:00:00.2"), ("Push:Connections:HandshakeTimeout", "00:00:05")]);
        var storm = Parallel.ForAsync(0, 800, new ParallelOptions { MaxDegreeOfParallelism = 400, CancellationToken = TestContext.Current.CancellationToken }, async (i, _) =>
        {
            try
            {
                using var client = await RawClient.ConnectAsync(node.EndPoint);
                if (i % 4 > 0)
                    await client.SendAsync(RawClient.Handshake("/ws?room=a")[..(i % 4 == 1 ? 30 : ^0)]);
                var answer = Encoding.Latin1.GetString(await client.ReadToEndAsync());
                Assert.True(answer.Length == 0 || answer.StartsWith("HTTP/1.1 101 ", StringComparison.Ordinal) || answer.StartsWith("HTTP/1.1 503 ", StringComparison.Ordinal), answer);
            }
            catch (SocketException)
            {
                // Expected: the node does not listen any more.
            }
        });
        await Eventually.HoldsAsync(() => node.Metrics.Read("push.loop_handshakes") >= opened, "the storm has begun");
        await node.StopAsync();
        await storm;
        // A client sees its end a little before the node has let go of it.
        await node.IsEmptyAsync();
        await Eventually.HoldsAsync(
            () => node.Metrics.Read("push.handshakes_pending") == 0 && node.Metrics.Read("push.loop_connections") == 0, "the loops have let go of everybody");
        Assert.Equal(0, node.Metrics.Read("push.failures"));
    }

    private static async Task<bool> IsServedAsync(NodeHost node)
    {
        try
        {
            using var client = await RawClient.ConnectAsync(node.EndPoint);
            await client.SendAsync(RawClient.Handshake());
            return await client.TryReadHeadAsync() is { } head && head.StartsWith("HTTP/1.1 101 ", StringComparison.Ordinal);
        }
        catch (SocketException)
        {
            // Expected: it was cut at once.
            return false;
        }
    }

    private sealed class RequestLog : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue(formatter(state, exception));

        public void Dispose()
        {
        }
    }
}
