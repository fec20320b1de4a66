using System.Net;
using System.Net.Sockets;
using System.Text;
using PushNode.Connections;
using PushNode.Transport.Epoll;
using PushNode.Transport.Linux;

namespace PushNode.Tests.Transport.Epoll;

/// <summary>One loop, and clients that it serves without an HTTP handshake.</summary>
internal sealed class LoopHost : IDisposable
{
    private readonly ConnectionRules _rules;
    private readonly Socket _listener = new(SocketType.Stream, ProtocolType.Tcp);

    public LoopHost(ConnectionRules rules)
    {
        _rules = rules;
        Loop = new EpollLoop(0, rules.Failures);
        _listener.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
        _listener.Listen();
    }

    public EpollLoop Loop { get; }

    /// <summary>Blocks the loop's thread until the result is disposed.</summary>
    public async Task<IDisposable> StopAsync()
    {
        var stopped = new TaskCompletionSource();
        var gate = new Gate();
        Loop.Post(() =>
        {
            stopped.SetResult();
            gate.Wait();
        });
        await stopped.Task;
        return gate;
    }

    /// <summary>A client of the loop's.</summary>
    public async Task<Socket> ConnectAsync(ClientSession session, int? receiveBuffer = null, Action<Connection>? onConnection = null)
    {
        var client = new Socket(SocketType.Stream, ProtocolType.Tcp);
        if (receiveBuffer is { } size)
            client.ReceiveBufferSize = size;
        await client.ConnectAsync(_listener.LocalEndPoint!, TestContext.Current.CancellationToken);
        var descriptor = Descriptor.Accept((int)_listener.Handle, out _, out _);
        ulong? key = null;
        await Loop.RunAsync(() => key = Loop.Register(descriptor, new Deaf()));
        var wire = new SocketWire(Loop, key!.Value, descriptor);
        var connection = new Connection(_rules, wire, shard: 0);
        connection.Attach(session);
        onConnection?.Invoke(connection);
        await wire.RunAsync();
        // The loop has replaced the handler by the wire.
        await Loop.RunAsync(() => { });
        return client;
    }

    public void Dispose()
    {
        Loop.Dispose();
        _listener.Dispose();
    }

    private sealed class Gate : IDisposable
    {
        private readonly ManualResetEventSlim _event = new();

        public void Wait()
        {
            _event.Wait();
            _event.Dispose();
        }

        public void Dispose() => _event.Set();
    }

    /// <summary>Owns the descriptor until the wire takes it over.</summary>
    private sealed class Deaf : EpollHandler
    {
        public override void OnEvents(uint events)
        {
        }

        public override void OnFailed(Exception bug) => throw bug;
    }
}

/// <summary>Records a client's messages and its end.</summary>
internal sealed class HearingSession(Action<string> onMessage, Action? onEnded = null) : ClientSession
{
    public bool HasEnded { get; private set; }

    public override void OnMessage(ReadOnlySpan<byte> message, bool isBinary) => onMessage(Encoding.UTF8.GetString(message));

    public override void OnEnded()
    {
        HasEnded = true;
        onEnded?.Invoke();
    }
}
