using PushNode.Connections;
using PushNode.Telemetry;
using PushNode.Transport.Linux;

namespace PushNode.Transport.Epoll;

/// <summary>
/// Carries a connection over a bare socket after the handshake. Any thread writes, by a system call under the connection's gate. Only the
/// loop's thread reads, ends the connection and closes the descriptor. The connection learns of its end before the descriptor is closed
/// and does not touch the wire afterwards, so a write cannot reach another connection's descriptor.
/// </summary>
/// <param name="loop">The loop that accepted it.</param>
/// <param name="key">Its key in the loop.</param>
/// <param name="descriptor">The socket.</param>
internal sealed class SocketWire(EpollLoop loop, ulong key, int descriptor) : EpollHandler, IWire
{
    private Connection? _connection;

    /// <summary>It has asked the loop for a turn and not got it yet.</summary>
    private bool _awaitsTurn;

    /// <summary>Reading is paused until the client has taken its answers.</summary>
    private bool _isHeld;

    /// <summary>Dead in both directions: what the client sent before is read as long as it needs no answer.</summary>
    private bool _isDead;

    public int? Socket => descriptor;

    public void Attach(Connection connection) => _connection = connection;

    public void LimitUnacknowledged(TimeSpan time) => Descriptor.LimitUnacknowledged(descriptor, time);

    public int TryWrite(ReadOnlyMemory<byte> bytes) => Descriptor.Send(descriptor, bytes.Span);

    /// <summary>Ends the reader; the kernel still sends what it has accepted.</summary>
    public void Complete() => Descriptor.End(descriptor);

    public void Abort() => Descriptor.Reset(descriptor);

    public Task RunAsync()
    {
        // Sends the answer's head if the kernel still holds it back.
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
            // Its remaining input no longer matters and may be long.
            End();
            return;
        }

        var wasHeld = _isHeld;
        _isHeld = wasHeld && !_connection!.MayRead;
        // A paused connection has missed the edges that report bytes to read.
        if (!_isHeld && !_awaitsTurn && (wasHeld || (events & ~Libc.EPOLLOUT) != 0))
            Read();
    }

    public override void OnTurn()
    {
        _awaitsTurn = false;
        if (_connection is not null)
            Read();
    }

    public override void OnFailed(Exception e)
    {
        if (_connection is null)
        {
            // Its end threw.
            loop.Failures.Add(log => log.ClientFailed(e));
            return;
        }

        _connection.Fail(e);
        End();
    }

    /// <summary>One turn: reads one buffer's worth, then all other connections get their turns.</summary>
    private void Read()
    {
        // After less than a full buffer there is hardly ever more, and one more read costs less than a turn that finds nothing.
        if (TryReadOnce() is not { } count || (count < EpollLoop.BufferSize && TryReadOnce() is null))
            return;
        _awaitsTurn = true;
        loop.AskForTurn(this);
    }

    /// <returns>How many bytes were read; null if there are none, reading is paused, or the connection has ended.</returns>
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
            End(isOrderly: received == 0);
            return null;
        }

        _connection.OnBytes(loop.Buffer.AsSpan(0, received));
        return received;
    }

    private void End(bool isOrderly = false)
    {
        var connection = _connection!;
        _connection = null;
        loop.Forget(key);
        try
        {
            connection.OnEnded(isOrderly);
        }
        finally
        {
            // Runs even if the session throws: the connection has already ended and no longer touches the wire.
            Descriptor.Close(descriptor);
        }
    }
}
