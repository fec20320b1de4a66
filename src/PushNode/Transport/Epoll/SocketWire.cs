using PushNode.Connections;
using PushNode.Telemetry;

namespace PushNode.Transport.Epoll;

/// <summary>
/// Carries a connection over a bare socket, after HTTP has let go of it. Writes are system calls under the connection's gate, by any thread; reads, the end and the closing of the descriptor are
/// the loop's alone. The connection is told of its end before the descriptor is closed and touches the wire no more, so no
/// write can meet a number that belongs to somebody else.
/// </summary>
/// <param name="loop">The loop that accepted it.</param>
/// <param name="key">Under which the loop knows it.</param>
/// <param name="descriptor">The socket.</param>
internal sealed class SocketWire(EpollLoop loop, ulong key, int descriptor) : EpollHandler, IWire
{
    /// <summary>Reads of one connection before the others get their turn.</summary>
    private const int ReadsPerTurn = 16;

    private Connection? _connection;

    public int? Socket => descriptor;

    public void Attach(Connection connection) => _connection = connection;

    public int TryWrite(ReadOnlyMemory<byte> bytes) => Descriptor.Send(descriptor, bytes.Span);

    /// <summary>Ends the reader; what the kernel has accepted it still sends.</summary>
    public void Complete() => Descriptor.End(descriptor);

    public void Abort() => Descriptor.Reset(descriptor);

    public Task RunAsync()
    {
        // The 101, if nothing was sent behind it.
        Descriptor.Push(descriptor);
        loop.Post(() =>
        {
            loop.Replace(key, this);
            // Edges that came before are gone.
            OnEvents(Libc.EPOLLIN | Libc.EPOLLOUT);
        });
        return Task.CompletedTask;
    }

    public override void OnEvents(uint events)
    {
        if ((events & Libc.EPOLLOUT) != 0)
            _connection!.OnWritable();
        if ((events & ~Libc.EPOLLOUT) != 0)
            Read();
    }

    private void Read()
    {
        for (var turn = 0; turn < ReadsPerTurn; turn++)
        {
            var received = Descriptor.Receive(descriptor, loop.Buffer);
            if (received is null)
                return;
            if (received <= 0 || !TryHandle(loop.Buffer.AsSpan(0, received.Value)))
            {
                End();
                return;
            }
        }

        loop.Post(ReadOn);
    }

    /// <summary>Hands bytes to the connection. What throws there is a bug, and costs this client its connection; the loop has thousands of others.</summary>
    private bool TryHandle(Span<byte> bytes)
    {
        try
        {
            _connection!.OnBytes(bytes);
            return true;
        }
        catch (Exception bug)
        {
            loop.Log.ClientFailed(bug);
            return false;
        }
    }

    /// <summary>The next turn of a connection that has more to read; it may have ended meanwhile.</summary>
    private void ReadOn()
    {
        if (_connection is not null)
            Read();
    }

    private void End()
    {
        loop.Forget(key);
        _connection!.OnEnded();
        _connection = null;
        Descriptor.Close(descriptor);
    }
}
