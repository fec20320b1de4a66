using PushNode.Messages;
using PushNode.WebSocket;

namespace PushNode.Connections;

/// <content>The way in: bytes from the wire's reader to the session.</content>
internal sealed partial class Connection
{
    /// <summary>The node cannot read the echo of a client that broke the protocol; this much silence counts as the close echo.</summary>
    private static readonly TimeSpan EchoTime = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// Whether the wire may continue to read. False while answers wait for the client, so a client that does not read its answers cannot
    /// ask for more. The wire checks it before each read and after each <see cref="OnWritable"/>. Any thread.
    /// </summary>
    public bool MayRead
    {
        get
        {
            if (Volatile.Read(ref _outbox) is null && Volatile.Read(ref _closing) is null)
                return true;
            lock (this)
                return MayReadLocked();
        }
    }

    /// <summary>Processes bytes from the client; unmasks them in place. All answers to them leave in one write.</summary>
    public void OnBytes(Span<byte> bytes)
    {
        var now = _rules.Time.GetTimestamp();
        if (!Framing.IsDuplex)
        {
            // Not expected after the request. The rate limit ends a client that goes on.
            MayProcess(1, now);
            return;
        }

        Volatile.Write(ref _heardAt, now);
        // No frame may follow a close frame (RFC 6455, 5.5.1).
        if (Volatile.Read(ref _closing) is { IsEchoed: true })
            return;
        var incoming = _incoming ?? NewReader();
        var input = incoming.Resume(bytes);
        while (incoming.TryRead(ref input, out var opcode, out var payload))
        {
            _isCorked |= !input.IsEmpty;
            if (opcode == Opcode.Close)
            {
                OnClose(payload);
                input = [];
            }
            else if (MayProcess(incoming.TakeFrames(), now) && incoming.TryInflate(opcode, ref payload))
            {
                OnFrame(opcode, payload);
            }
        }

        // Fragments of a message that is not complete yet.
        if (incoming.TakeFrames() is > 0 and var fragments)
            MayProcess(fragments, now);
        incoming.Keep(input);
        Volatile.Write(ref _incoming, incoming.IsIdle ? null : incoming);
        if (incoming.Violation is { } violation)
            Close(CloseReason.Of(violation));
        if (_isCorked)
            Uncork();
    }

    private MessageReader NewReader() =>
        new(_rules.Connections.MaxMessageBytes, acceptsBinary: _variant.IsMessagePack(), inflates: _variant.IsDeflated());

    private void OnFrame(Opcode opcode, ReadOnlySpan<byte> payload)
    {
        if (opcode is Opcode.Text or Opcode.Binary)
            _session?.OnMessage(payload, opcode == Opcode.Binary);
        else if (opcode == Opcode.Ping)
            Send(new Frame(ControlFrames.Pong(payload)));
    }

    private void OnClose(ReadOnlySpan<byte> payload)
    {
        lock (this)
        {
            if (_closing is null)
            {
                _closing = Begin(CloseReason.Client);
                SendLocked(new Frame(ControlFrames.CloseEcho(payload)), isAnswer: false);
            }

            _closing.IsEchoed = true;
            CompleteIfDoneLocked();
        }
    }

    /// <summary>
    /// Whether these frames are within the client's rate and the connection is not closing. Frames above the rate are refused, with one
    /// ERROR; too many of them close the connection.
    /// </summary>
    private bool MayProcess(int frames, long now)
    {
        if (IsClosing)
            return false;
        if (_messages <= now)
            _isRefusalTold = false;
        var isClosed = !_rules.MessagesAndRefused.TryTake(ref _messages, now, frames);
        if (!isClosed && _rules.Messages.Covers(_messages, now))
            return true;

        _rules.Metrics.ClientMessagesRefused(frames);
        if (isClosed)
        {
            Close(CloseReason.RateLimited);
        }
        else if (!_isRefusalTold)
        {
            _isRefusalTold = true;
            _session?.OnRateLimited();
        }

        return false;
    }

    /// <summary>
    /// True if the outbox is absent or holds no answers, or if the client cannot ask for any. A client that was closed for sending too much is
    /// not read until it is cut.
    /// </summary>
    private bool MayReadLocked() => _closing is null
        ? _outbox is not { HasAnswers: true } || !Framing.IsDuplex
        : _closing.Reason != CloseReason.RateLimited;

    private void Uncork()
    {
        lock (this)
        {
            _isCorked = false;
            if (_closing is not { IsOver: true })
                DrainLocked();
        }
    }
}
