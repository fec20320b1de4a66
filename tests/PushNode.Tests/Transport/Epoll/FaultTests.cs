using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PushBackplane;
using PushNode.Connections;
using PushNode.Settings;
using PushNode.Transport.Epoll;
using RedisPush.Testing;

namespace PushNode.Tests.Transport.Epoll;

/// <summary>What a bug costs when it throws on a loop's thread.</summary>
[Collection(EpollTests.Name)]
public sealed class FaultTests
{
    [Fact]
    public async Task A_bug_that_one_clients_bytes_meet_costs_that_client_alone_its_connection_and_is_logged()
    {
        using var metrics = new TestMetrics();
        var ended = 0;
        var rules = new ConnectionRules(new ConnectionSettings(), new OutboxSettings(), TimeProvider.System, metrics.Node, () => Interlocked.Increment(ref ended));
        var log = new EventLog();
        using var loop = new EpollLoop(0, log);
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
        listener.Listen();

        var broken = new Session(_ => throw new InvalidOperationException("a bug"));
        var heard = new ConcurrentQueue<string>();
        using var unlucky = await ConnectAsync(listener, loop, rules, broken);
        using var lucky = await ConnectAsync(listener, loop, rules, new Session(heard.Enqueue));

        await unlucky.SendAsync(ClientFrame.Text("hello"), TestContext.Current.CancellationToken);
        Assert.Equal(0, await unlucky.ReceiveAsync(new byte[16], TestContext.Current.CancellationToken));
        await lucky.SendAsync(ClientFrame.Text("still here"), TestContext.Current.CancellationToken);
        await Eventually.HoldsAsync(() => heard.Contains("still here"), "the other client is heard");
        Assert.True(broken.HasEnded);
        Assert.Equal(1, ended);
        Assert.Equal([4004], log.Events);

        lucky.Close();
        await Eventually.HoldsAsync(() => Volatile.Read(ref ended) == 2, "the other connection ends");
    }

    /// <summary>The connection has left HTTP by then, and nobody but itself can give back what it holds.</summary>
    [Fact]
    public async Task A_bug_between_the_101_and_the_first_read_costs_the_client_its_connection_and_nothing_stays_behind()
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

        await node.ServesAsync();
    }

    private static async Task<Socket> ConnectAsync(Socket listener, EpollLoop loop, ConnectionRules rules, ClientSession session)
    {
        var client = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(listener.LocalEndPoint!, TestContext.Current.CancellationToken);
        var descriptor = Descriptor.Accept((int)listener.Handle, out _, out _);
        ulong? key = null;
        await loop.RunAsync(() => key = loop.Register(descriptor, new Deaf()));
        var wire = new SocketWire(loop, key!.Value, descriptor);
        new Connection(rules, wire, shard: 0).Attach(session);
        await wire.RunAsync();
        return client;
    }

    private sealed class Session(Action<string> onMessage) : ClientSession
    {
        public bool HasEnded { get; private set; }

        public override void OnMessage(ReadOnlySpan<byte> utf8) => onMessage(Encoding.UTF8.GetString(utf8));

        public override void OnEnded() => HasEnded = true;
    }

    /// <summary>Has the descriptor until the wire takes it over.</summary>
    private sealed class Deaf : EpollHandler
    {
        public override void OnEvents(uint events)
        {
        }
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
