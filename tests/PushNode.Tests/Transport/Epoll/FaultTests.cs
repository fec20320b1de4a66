using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PushBackplane;
using PushNode.Connections;
using PushNode.Settings;
using PushNode.Telemetry;
using TestSupport.Clients;

namespace PushNode.Tests.Transport.Epoll;

/// <summary>The effects of exceptions on a loop's thread.</summary>
[Collection(EpollTests.Name)]
public sealed class FaultTests
{
    [Fact]
    public async Task An_exception_on_a_clients_bytes_closes_only_that_client_and_is_logged()
    {
        using var metrics = new TestMetrics();
        var ended = 0;
        var log = new EventLog();
        var rules = new ConnectionRules(new ConnectionSettings(), new OutboxSettings(), TimeProvider.System, metrics.Node, _ => Interlocked.Increment(ref ended))
        {
            Failures = new Failures(FailedStage.Client, metrics.Node, TimeProvider.System, log),
        };
        using var host = new LoopHost(rules);
        var broken = new HearingSession(_ => throw new InvalidOperationException("a bug"));
        var heard = new ConcurrentQueue<string>();
        using var unlucky = await host.ConnectAsync(broken);
        using var lucky = await host.ConnectAsync(new HearingSession(heard.Enqueue));

        await unlucky.SendAsync(ClientFrame.Text("hello"), TestContext.Current.CancellationToken);
        Assert.Equal(0, await unlucky.ReceiveAsync(new byte[16], TestContext.Current.CancellationToken));
        await lucky.SendAsync(ClientFrame.Text("still here"), TestContext.Current.CancellationToken);
        await Eventually.HoldsAsync(() => heard.Contains("still here"), "the other client's message has arrived");
        Assert.True(broken.HasEnded);
        Assert.Equal(1, ended);
        Assert.Equal([4004], log.Events);
        Assert.Equal(1, metrics.Read("push.failures", "client"));
        Assert.Equal(1, metrics.Read("push.connections_closed", "failed"));

        lucky.Close();
        await Eventually.HoldsAsync(() => Volatile.Read(ref ended) == 2, "the other connection ends");
    }

    /// <summary>The connection has left HTTP by then and must release its resources itself.</summary>
    [Fact]
    public async Task An_exception_before_the_first_read_closes_the_client_and_leaks_nothing()
    {
        var backplane = new FakeBackplane
        {
            OnSubscribe = channel =>
            {
                if (channel == "push:room:broken")
                    throw new InvalidOperationException("a bug");
            },
        };
        await using var node = await NodeHost.StartAsync(configure: services => services.AddSingleton<IBackplane>(backplane));
        using (var unlucky = await RawClient.ConnectAsync(node.EndPoint))
        {
            await unlucky.SendAsync(RawClient.Handshake("/ws?room=broken"));
            await unlucky.ReadToEndAsync();
            await node.IsEmptyAsync();
        }

        Assert.Equal(1, node.Metrics.Read("push.failures", "client"));
        Assert.Equal(1, node.Metrics.Read("push.connections_closed", "failed"));
        await node.ServesAsync();
    }

    private sealed class EventLog : ILogger
    {
        public ConcurrentQueue<int> Events { get; } = new();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Events.Enqueue(eventId.Id);
    }
}
