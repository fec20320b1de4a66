using PushNode.Framing;
using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.Connections;

/// <summary>
/// One client. Outbound: <see cref="TrySend(Frame, Membership)"/>, <see cref="Send"/> and <see cref="Close"/> may be called by any thread; they never block and
/// never await, and what the wire does not take waits in a bounded outbox. Inbound: <see cref="OnBytes"/> and <see cref="OnEnded"/> are called by
/// the wire's reader, one thread at a time. Lives from the upgrade until its reader ends.
/// </summary>
internal sealed class Connection
{
    /// <summary>After a client broke the protocol its echo cannot be read any more; so much quiet stands for it.</summary>
    private static readonly TimeSpan EchoTime = TimeSpan.FromMilliseconds(500);

    private readonly Lock _gate = new();
    private readonly ConnectionRules _rules;
    private readonly IWire _wire;
    private readonly NodeMetrics _metrics;
    private readonly Inbound _inbound;
    private readonly Action? _ended;

    private Outbox? _outbox;
    private ClientSession? _session;
    private CloseReason? _closing;
    private bool _closeReceived;
    private bool _isEnded;
    private long _heardAt;
    private long _pingedAt;
    private long _acceptedAt;
    private long _closingAt;

    /// <param name="rules">What all connections share.</param>
    /// <param name="wire">What carries this one.</param>
    /// <param name="metrics">Where to count.</param>
    /// <param name="shard">The shard it belongs to in every room.</param>
    /// <param name="ended">Called once, when it has ended and its session is over.</param>
    public Connection(ConnectionRules rules, IWire wire, NodeMetrics metrics, int shard, Action? ended = null)
    {
        _ended = ended;
        _rules = rules;
        _wire = wire;
        _metrics = metrics;
        _inbound = new Inbound(rules.Connections.MaxMessageBytes);
        _heardAt = rules.Time.GetTimestamp();
        Shard = shard;
        wire.Attach(this);
    }

    /// <summary>The shard it belongs to in every room.</summary>
    public int Shard { get; }

    /// <summary>Whether it has begun to close, by either side.</summary>
    public bool IsClosing => Volatile.Read(ref _closing) is not null;

    /// <summary>Names what gives the client's messages a meaning. Called once, before the first byte is read.</summary>
    public void Attach(ClientSession session) => _session = session;

    /// <summary>
    /// Tries to push a frame to a member. The caller counts what is <see cref="SendOutcome.Sent"/> (it sums up per shard) and what is left or closed;
    /// what becomes of a queued frame is counted here.
    /// </summary>
    public SendOutcome TrySend(Frame frame, Membership membership)
    {
        lock (_gate)
        {
            if (_closing is not null)
                return SendOutcome.Closed;
            if (!membership.IsActive)
                return SendOutcome.Left;

            if (_outbox is null && membership.Missed == 0)
            {
                var accepted = _wire.TryWrite(frame.Bytes);
                if (accepted == frame.Length)
                    return SendOutcome.Sent;
                StartOutboxLocked(new Outbox.Entry(frame, membership), accepted);
            }
            else
            {
                EnqueueLocked(new Outbox.Entry(frame, membership));
            }

            return SendOutcome.Queued;
        }
    }

    /// <summary>Sends an answer or another frame that is no PUSH; ignored when the connection is closing.</summary>
    public void Send(Frame frame) => SendAnd(frame, static () => { });

    /// <summary>
    /// Sends an answer and makes a change between which no push can fall: JOINED and the entry into the room, LEFT and the exit.
    /// </summary>
    /// <param name="answer">What to send.</param>
    /// <param name="change">Runs under the connection's gate; may take a shard's lock and no other.</param>
    /// <returns>False when the connection is closing; the change is not made then.</returns>
    public bool SendAnd(Frame answer, Action change)
    {
        lock (_gate)
        {
            if (_closing is not null)
                return false;
            SendLocked(answer);
            change();
            return true;
        }
    }

    /// <summary>
    /// Begins to close: what is queued goes out first (unless the client is too slow), then the close frame; it ends when the peer has
    /// echoed it, or after <see cref="ConnectionSettings.CloseTimeout"/>. Only the first reason counts.
    /// </summary>
    /// <param name="reason">One with a close code.</param>
    public void Close(CloseReason reason)
    {
        lock (_gate)
            CloseLocked(reason);
    }

    /// <summary>Ends the connection at once, without a close frame.</summary>
    public void Abort(CloseReason reason)
    {
        lock (_gate)
        {
            if (_isEnded)
                return;
            if (_closing is null)
                BeginClosingLocked(reason);
            _wire.Abort();
        }
    }

    /// <summary>The wire can take bytes again.</summary>
    public void OnWritable()
    {
        lock (_gate)
        {
            if (!_isEnded)
                DrainLocked();
        }
    }

    /// <summary>Bytes from the client; they are unmasked in place.</summary>
    public void OnBytes(Span<byte> bytes)
    {
        Volatile.Write(ref _heardAt, _rules.Time.GetTimestamp());
        var input = _inbound.Resume(bytes);
        while (_inbound.TryRead(ref input, out var opcode, out var payload))
            OnFrame(opcode, payload);
        _inbound.Keep(input);
        if (_inbound.Violation is { } violation)
            Close(violation);
    }

    /// <summary>
    /// The reader has ended: the peer is gone, or the wire was completed or aborted. Called once, last of the reader's calls; whoever else still has the
    /// connection in a list finds it ended, and the wire, which belongs to nobody then, is not touched again.
    /// </summary>
    public void OnEnded()
    {
        CloseReason reason;
        lock (_gate)
        {
            // The wire is not to be touched any more: what carried it may serve somebody else soon.
            _isEnded = true;
            reason = _closing ??= CloseReason.Lost;
            if (_outbox is not null)
                _metrics.DeliveriesDropped(_outbox.Deliveries(), DeliveryDrop.Closed);
            _outbox = null;
        }

        _session?.OnEnded();
        _metrics.ConnectionClosed(reason.Label);
        _ended?.Invoke();
    }

    /// <summary>
    /// Applies the rules of time: pings a quiet client, ends one that does not answer, one that takes nothing and one that does not finish closing.
    /// </summary>
    /// <param name="now">A time stamp of the rules' clock.</param>
    public void CheckTime(long now)
    {
        lock (_gate)
        {
            if (_isEnded)
                return;
            var heardAt = Volatile.Read(ref _heardAt);
            var quiet = Since(heardAt, now);
            if (_closing is not null)
            {
                if (Since(_closingAt, now) >= _rules.Connections.CloseTimeout)
                    _wire.Abort();
                else if (_outbox is null && _inbound.Violation is not null && quiet >= EchoTime)
                    _wire.Complete();
            }
            else if (quiet >= _rules.Connections.CloseAfter)
            {
                BeginClosingLocked(CloseReason.Silent);
                _wire.Abort();
            }
            else if (_outbox is not null && Since(_acceptedAt, now) >= _rules.Outbox.StuckAfter)
            {
                CloseLocked(CloseReason.TooSlow);
            }
            else if (quiet >= _rules.Connections.PingAfter && _pingedAt <= heardAt)
            {
                _pingedAt = now;
                SendLocked(ControlFrames.Ping);
            }
        }
    }

    private TimeSpan Since(long then, long now) => _rules.Time.GetElapsedTime(then, now);

    private void OnFrame(Opcode opcode, ReadOnlySpan<byte> payload)
    {
        if (opcode == Opcode.Text)
            _session?.OnMessage(payload);
        else if (opcode == Opcode.Ping)
            Send(ControlFrames.Pong(payload));
        else if (opcode == Opcode.Close)
            OnClose(payload);
    }

    private void OnClose(ReadOnlySpan<byte> payload)
    {
        lock (_gate)
        {
            _closeReceived = true;
            if (_closing is null)
            {
                BeginClosingLocked(CloseReason.Client);
                SendLocked(ControlFrames.CloseEcho(payload));
            }

            CompleteIfDoneLocked();
        }
    }

    private void CloseLocked(CloseReason reason)
    {
        if (_closing is not null)
            return;
        BeginClosingLocked(reason);
        if (reason == CloseReason.TooSlow && _outbox is not null)
            _metrics.DeliveriesDropped(_outbox.DropUnsent(), DeliveryDrop.Slow);
        SendLocked(ControlFrames.Close(reason.Code!.Value, reason.Text));
    }

    private void BeginClosingLocked(CloseReason reason)
    {
        _closing = reason;
        _closingAt = _rules.Time.GetTimestamp();
    }

    private void CompleteIfDoneLocked()
    {
        if (_closeReceived && _outbox is null && !_isEnded)
            _wire.Complete();
    }

    private void SendLocked(Frame frame)
    {
        if (_outbox is not null)
        {
            EnqueueLocked(new Outbox.Entry(frame, null));
            return;
        }

        var accepted = _wire.TryWrite(frame.Bytes);
        if (accepted == frame.Length)
            _metrics.BytesSent(accepted);
        else
            StartOutboxLocked(new Outbox.Entry(frame, null), accepted);
    }

    private void StartOutboxLocked(Outbox.Entry entry, int accepted)
    {
        _metrics.BytesSent(accepted);
        OpenOutboxLocked();
        _outbox!.Add(entry);
        _outbox.Advance(accepted);
    }

    private void OpenOutboxLocked()
    {
        _outbox = new Outbox();
        // From here on a client may be stuck, not from when it last had something to take.
        _acceptedAt = _rules.Time.GetTimestamp();
    }

    private void EnqueueLocked(Outbox.Entry entry)
    {
        var wasIdle = _outbox is null;
        if (wasIdle)
            OpenOutboxLocked();
        // All that comes once it is closing is the close frame, which a full outbox must not swallow.
        while (_closing is null && _outbox!.Bytes + Outbox.Cost(entry.Frame) > _rules.Outbox.MaxBytes)
        {
            if (_rules.Outbox.WhenFull == WhenFull.DropOldest && _outbox.DropOldestPush() is { } dropped)
            {
                _metrics.DeliveriesDropped(dropped, DeliveryDrop.Slow);
                continue;
            }

            RefuseLocked(entry);
            return;
        }

        _outbox!.Add(entry);
        if (wasIdle)
            DrainLocked();
    }

    /// <summary>There is no room for a frame, by policy or because what fills the outbox must not be dropped.</summary>
    private void RefuseLocked(Outbox.Entry entry)
    {
        _metrics.DeliveriesDropped(entry.Frame.Deliveries, DeliveryDrop.Slow);
        if (_rules.Outbox.WhenFull == WhenFull.DropOldest && entry.Membership is { } membership)
            membership.Missed += entry.Frame.Loss;
        else
            CloseLocked(CloseReason.TooSlow);
    }

    private void DrainLocked()
    {
        while (_outbox is not null)
        {
            var frame = _outbox.Oldest();
            var rest = frame.Bytes[_outbox.Offset..];
            var accepted = _wire.TryWrite(rest);
            if (accepted > 0)
                _acceptedAt = _rules.Time.GetTimestamp();
            _metrics.BytesSent(accepted);
            if (accepted < rest.Length)
            {
                _outbox.Advance(accepted);
                return;
            }

            _outbox.RemoveOldest();
            if (frame.Deliveries > 0)
                _metrics.FramesSent(1, frame.Deliveries);
            if (_outbox.IsEmpty)
                _outbox = null;
        }

        CompleteIfDoneLocked();
    }
}
