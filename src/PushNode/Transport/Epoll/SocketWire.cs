using PushNode.Connections;
using PushNode.Telemetry;
using PushNode.Transport.Linux;

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
    private Connection? _connection;

    /// <summary>It has asked the loop for a turn and not had it yet.</summary>
    private bool _awaitsTurn;

    /// <summary>It is not read until the client has taken its answers; what has come meanwhile is read then.</summary>
    private bool _isHeld;

    /// <summary>Dead in both directions: what it has sent before is read as long as nothing has to be answered.</summary>
    private bool _isDead;

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
            // Earlier events went to the previous handler.
            loop.TellAgain(descriptor, key);
        });
        return Task.CompletedTask;
    }

    public override void OnEvents(uint events)
    {
        if ((events & Libc.EPOLLOUT) != 0)
            _connection!.OnWritable();
        _isDead |= (events & (Libc.EPOLLHUP | Libc.EPOLLERR)) != 0;
        if (_isDead && (_connection!.IsClosing || !_connection.MayRead))
        {
            // Its remaining input no longer matters, and there may be much of it.
            End();
            return;
        }

        var wasHeld = _isHeld;
        _isHeld = wasHeld && !_connection!.MayRead;
        // A held connection has missed the edges that report bytes to read.
        if (!_isHeld && !_awaitsTurn && (wasHeld || (events & ~Libc.EPOLLOUT) != 0))
            Read();
    }

    public override void OnTurn()
    {
        _awaitsTurn = false;
        if (_connection is not null)
            Read();
    }

    public override void OnFailed(Exception bug)
    {
        if (_connection is null)
        {
            // What threw was its end.
            loop.Failures.Add(log => log.ClientFailed(bug));
            return;
        }

        _connection.Fail(bug);
        End();
    }

    /// <summary>One turn: a buffer's worth, then all others get theirs.</summary>
    private void Read()
    {
        // After less there is hardly ever more: asking once again costs less than a turn that finds nothing.
        if (TryReadOnce() is not { } count || (count < EpollLoop.BufferSize && TryReadOnce() is null))
            return;
        _awaitsTurn = true;
        loop.AskForTurn(this);
    }

    /// <returns>How many bytes were read; null when there are none, no more are wanted now, or the connection has ended.</returns>
    private int? TryReadOnce()
    {
        if (!_connection!.MayRead)
        {
            _isHeld = true;
            if (_isDead)
                End();
            return null;
        }

        if (Descriptor.Receive(descriptor, loop.Buffer) is not { } received)
            return null;
        if (received <= 0)
        {
            End();
            return null;
        }

        _connection.OnBytes(loop.Buffer.AsSpan(0, received));
        return received;
    }

    private void End()
    {
        var connection = _connection!;
        _connection = null;
        loop.Forget(key);
        try
        {
            connection.OnEnded();
        }
        finally
        {
            // Runs even if the session throws: the connection has ended first and no longer touches the wire.
            Descriptor.Close(descriptor);
        }
    }
}
