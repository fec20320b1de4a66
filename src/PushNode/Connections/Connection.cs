using PushNode.Framing;
using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.Connections;

/// <summary>
/// One client. Outbound: <see cref="TrySend"/>, <see cref="Send"/> and <see cref="Close"/> may be called by any thread; they never block and
/// never await, and what the wire does not take waits in a bounded outbox. Inbound: <see cref="OnBytes"/> and <see cref="OnEnded"/> are called by
/// the wire's reader, one thread at a time. Lives from the upgrade until its reader ends.
/// </summary>
internal sealed class Connection
{
    /// <summary>After a client broke the protocol its echo cannot be read any more; so much quiet stands for it.</summary>
    private static readonly TimeSpan EchoTime = TimeSpan.FromMilliseconds(500);

    // The gate is the connection itself: one object less for each of them. Nobody else locks it.
    private readonly ConnectionRules _rules;
    private readonly IWire _wire;
    private ClientSession? _session;

    // What most connections have none of at most times.
    private Inbound? _inbound;
    private Outbox? _outbox;
    private Closing? _closing;
    private long _heardAt;

    /// <summary>The lower half of the <see cref="_heardAt"/> after which the last ping was sent: enough to tell whether anything came since. 0 before the first.</summary>
    private int _pingedAfter;

    /// <param name="rules">What all connections share.</param>
    /// <param name="wire">What carries this one.</param>
    /// <param name="shard">The shard it belongs to in every room.</param>
    public Connection(ConnectionRules rules, IWire wire, int shard)
    {
        _rules = rules;
        _wire = wire;
        _heardAt = rules.Time.GetTimestamp();
        Shard = shard;
        wire.Attach(this);
    }

    /// <summary>The shard it belongs to in every room.</summary>
    public int Shard { get; }

    /// <summary>The limits and times that it keeps to.</summary>
    public ConnectionSettings Settings => _rules.Connections;

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
        lock (this)
        {
            if (_closing is not null)
                return SendOutcome.Closed;
            if (!membership.IsActive)
                return SendOutcome.Left;

            if (_outbox is null && membership.Missed == 0)
                return AcceptedLocked(frame, membership, _wire.TryWrite(frame.Bytes));
            EnqueueLocked(new Outbox.Entry(frame, membership));
            return SendOutcome.Queued;
        }
    }

    /// <summary>
    /// Begins a push whose bytes the caller sends to the wire's socket itself. Takes the gate, which the caller holds until <see cref="EndSend"/>, but never waits for it: who
    /// holds one gate may not wait for another.
    /// </summary>
    /// <returns>The socket; null when the gate was not to be had, or the frame is not for the socket now: then it is for <see cref="TrySend"/>.</returns>
    public int? TryBeginSend(Membership membership)
    {
        if (_wire.Socket is not { } socket || !Monitor.TryEnter(this))
            return null;
        if (_closing is null && membership.IsActive && _outbox is null && membership.Missed == 0)
            return socket;
        Monitor.Exit(this);
        return null;
    }

    /// <summary>Ends what <see cref="TryBeginSend"/> began, on the same thread.</summary>
    /// <param name="frame">What was sent.</param>
    /// <param name="membership">To whom.</param>
    /// <param name="accepted">How much of it the socket has accepted.</param>
    public SendOutcome EndSend(Frame frame, Membership membership, int accepted)
    {
        try
        {
            return AcceptedLocked(frame, membership, accepted);
        }
        finally
        {
            Monitor.Exit(this);
        }
    }

    /// <summary>Ends what <see cref="TryBeginSend"/> began, on the same thread, when a bug hides how much the socket has accepted.</summary>
    /// <inheritdoc cref="Fail"/>
    public void EndFailedSend(Frame frame, ref SendOutcome outcome)
    {
        try
        {
            Fail(frame, ref outcome);
        }
        finally
        {
            Monitor.Exit(this);
        }
    }

    /// <summary>A push threw, which is a bug: nobody knows how much of the frame the wire has taken, so the connection is cut.</summary>
    /// <param name="frame">What was pushed.</param>
    /// <param name="outcome">Set, also when the wire throws again: queued when the frame is in the outbox, where its connection's end counts it.</param>
    public void Fail(Frame frame, ref SendOutcome outcome)
    {
        lock (this)
        {
            outcome = _outbox?.Contains(frame) == true ? SendOutcome.Queued : SendOutcome.Failed;
            Abort(CloseReason.Lost);
        }
    }

    /// <summary>Sends an answer or another frame that is no PUSH; ignored when the connection is closing.</summary>
    public void Send(Frame frame) => SendAnd(frame, static () => { });

    /// <summary>
    /// Makes a change and sends the answer that tells of it, between which no push can fall: the entry into a room and JOINED, the exit and LEFT. The change comes first: what is published by who has
    /// read JOINED finds the member in the room.
    /// </summary>
    /// <param name="answer">What to send.</param>
    /// <param name="change">Runs under the connection's gate; may take a shard's lock and no other.</param>
    /// <returns>False when the connection is closing; the change is not made then.</returns>
    public bool SendAnd(Frame answer, Action change)
    {
        lock (this)
        {
            if (_closing is not null)
                return false;
            change();
            SendLocked(answer);
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
        lock (this)
            CloseLocked(reason);
    }

    /// <summary>Ends the connection at once, without a close frame.</summary>
    public void Abort(CloseReason reason)
    {
        lock (this)
        {
            _closing ??= Begin(reason);
            if (!_closing.IsOver)
                _wire.Abort();
        }
    }

    /// <summary>The wire can take bytes again.</summary>
    public void OnWritable()
    {
        lock (this)
        {
            if (_closing is not { IsOver: true })
                DrainLocked();
        }
    }

    /// <summary>Bytes from the client; they are unmasked in place.</summary>
    public void OnBytes(Span<byte> bytes)
    {
        Volatile.Write(ref _heardAt, _rules.Time.GetTimestamp());
        var inbound = _inbound ?? new Inbound(_rules.Connections.MaxMessageBytes);
        var input = inbound.Resume(bytes);
        while (inbound.TryRead(ref input, out var opcode, out var payload))
            OnFrame(opcode, payload);
        inbound.Keep(input);
        Volatile.Write(ref _inbound, inbound.IsIdle ? null : inbound);
        if (inbound.Violation is { } violation)
            Close(violation);
    }

    /// <summary>
    /// The reader has ended: the peer is gone, or the wire was completed or aborted. Called once, last of the reader's calls; whoever else still has the
    /// connection in a list finds it ended, and the wire, which belongs to nobody then, is not touched again.
    /// </summary>
    public void OnEnded()
    {
        CloseReason reason;
        lock (this)
        {
            _closing ??= Begin(CloseReason.Lost);
            _closing.IsOver = true;
            reason = _closing.Reason;
            if (_outbox is not null)
                _rules.Metrics.DeliveriesDropped(_outbox.Deliveries(), DeliveryDrop.Closed);
            _outbox = null;
        }

        _session?.OnEnded();
        _rules.Metrics.ConnectionClosed(reason.Label);
        _rules.Ended();
    }

    /// <summary>
    /// Applies the rules of time: pings a quiet client, ends one that does not answer, one that takes nothing and one that does not finish closing.
    /// </summary>
    /// <param name="now">A time stamp of the rules' clock.</param>
    public void CheckTime(long now)
    {
        // Nearly all connections at nearly all times, at the cost of one look: what changes in this instant is seen by the next tick.
        var heardAt = Volatile.Read(ref _heardAt);
        if (Volatile.Read(ref _outbox) is null && Volatile.Read(ref _closing) is null && Since(heardAt, now) < PingAfter(heardAt))
            return;

        lock (this)
        {
            if (_closing is null)
                CheckOpenLocked(now);
            else if (!_closing.IsOver)
                CheckClosingLocked(_closing, now);
        }
    }

    private void CheckOpenLocked(long now)
    {
        var heardAt = Volatile.Read(ref _heardAt);
        var quiet = Since(heardAt, now);
        if (quiet >= _rules.Connections.CloseAfter)
        {
            _closing = Begin(CloseReason.Silent);
            _wire.Abort();
        }
        else if (_outbox is not null && Since(_outbox.AcceptedAt, now) >= _rules.Outbox.StuckAfter)
        {
            CloseLocked(CloseReason.TooSlow);
        }
        else if (quiet >= PingAfter(heardAt) && _pingedAfter != (int)heardAt)
        {
            _pingedAfter = (int)heardAt;
            SendLocked(ControlFrames.Ping);
        }
    }

    private void CheckClosingLocked(Closing closing, long now)
    {
        if (Since(closing.Since, now) >= _rules.Connections.CloseTimeout)
            _wire.Abort();
        else if (_outbox is null && Volatile.Read(ref _inbound)?.Violation is not null && Since(Volatile.Read(ref _heardAt), now) >= EchoTime)
            _wire.Complete();
    }

    private TimeSpan PingAfter(long heardAt) => PingSpread.QuietTime(_rules.Connections.PingAfter, heardAt);

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
        lock (this)
        {
            if (_closing is null)
            {
                _closing = Begin(CloseReason.Client);
                SendLocked(ControlFrames.CloseEcho(payload));
            }

            _closing.IsEchoed = true;
            CompleteIfDoneLocked();
        }
    }

    private void CloseLocked(CloseReason reason)
    {
        if (_closing is not null)
            return;
        _closing = Begin(reason);
        if (reason == CloseReason.TooSlow && _outbox is not null)
            _rules.Metrics.DeliveriesDropped(_outbox.DropUnsent(), DeliveryDrop.Slow);
        SendLocked(ControlFrames.Close(reason.Code!.Value, reason.Text));
    }

    private Closing Begin(CloseReason reason) => new(reason, _rules.Time.GetTimestamp());

    private void CompleteIfDoneLocked()
    {
        if (_outbox is null && _closing is { IsEchoed: true, IsOver: false })
            _wire.Complete();
    }

    private SendOutcome AcceptedLocked(Frame frame, Membership membership, int accepted)
    {
        if (accepted == frame.Length)
            return SendOutcome.Sent;
        StartOutboxLocked(new Outbox.Entry(frame, membership), accepted);
        return SendOutcome.Queued;
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
            _rules.Metrics.BytesSent(accepted);
        else
            StartOutboxLocked(new Outbox.Entry(frame, null), accepted);
    }

    private void StartOutboxLocked(Outbox.Entry entry, int accepted)
    {
        _rules.Metrics.BytesSent(accepted);
        _outbox = new Outbox(_rules.Time.GetTimestamp());
        _outbox.Add(entry);
        _outbox.Advance(accepted);
    }

    private void EnqueueLocked(Outbox.Entry entry)
    {
        var wasIdle = _outbox is null;
        _outbox ??= new Outbox(_rules.Time.GetTimestamp());
        // All that comes once it is closing is the close frame, which a full outbox must not swallow.
        while (_closing is null && _outbox.Bytes + Outbox.Cost(entry.Frame) > _rules.Outbox.MaxBytes)
        {
            if (_rules.Outbox.WhenFull == WhenFull.DropOldest && _outbox.DropOldestPush() is { } dropped)
            {
                _rules.Metrics.DeliveriesDropped(dropped, DeliveryDrop.Slow);
                continue;
            }

            RefuseLocked(entry);
            return;
        }

        _outbox.Add(entry);
        if (wasIdle)
            DrainLocked();
    }

    /// <summary>There is no room for a frame, by policy or because what fills the outbox must not be dropped.</summary>
    private void RefuseLocked(Outbox.Entry entry)
    {
        if (_rules.Outbox.WhenFull == WhenFull.DropOldest && entry.Membership is { } membership)
            membership.Missed += entry.Frame.Loss;
        else
            CloseLocked(CloseReason.TooSlow);
        // Last: a frame whose refusal threw is counted by who tried to push it.
        _rules.Metrics.DeliveriesDropped(entry.Frame.Deliveries, DeliveryDrop.Slow);
    }

    private void DrainLocked()
    {
        while (_outbox is not null)
        {
            var frame = _outbox.Oldest();
            var rest = frame.Bytes[_outbox.Offset..];
            var accepted = _wire.TryWrite(rest);
            if (accepted > 0)
                _outbox.AcceptedAt = _rules.Time.GetTimestamp();
            _rules.Metrics.BytesSent(accepted);
            if (accepted < rest.Length)
            {
                _outbox.Advance(accepted);
                return;
            }

            _outbox.RemoveOldest();
            if (frame.Deliveries > 0)
                _rules.Metrics.FramesSent(1, frame.Deliveries);
            if (_outbox.IsEmpty)
                _outbox = null;
        }

        CompleteIfDoneLocked();
    }
}
