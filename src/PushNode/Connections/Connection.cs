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

    private readonly ushort _shard;

    /// <summary>The reader has more frames at hand: their answers are collected, and leave in one write.</summary>
    private bool _isCorked;

    /// <summary>The reader has told the client that its messages are too many.</summary>
    private bool _isRefusalTold;

    /// <summary>What the client has sent, as <see cref="ConnectionRules.Messages"/> keeps it. The reader's.</summary>
    private long _messages;

    /// <param name="rules">What all connections share.</param>
    /// <param name="wire">What carries this one.</param>
    /// <param name="shard">The shard it belongs to in every room.</param>
    public Connection(ConnectionRules rules, IWire wire, int shard)
    {
        _rules = rules;
        _wire = wire;
        _heardAt = rules.Time.GetTimestamp();
        _shard = (ushort)shard;
        wire.Attach(this);
    }

    /// <summary>The shard it belongs to in every room.</summary>
    public int Shard => _shard;

    /// <summary>The limits and times that it keeps to.</summary>
    public ConnectionSettings Settings => _rules.Connections;

    /// <summary>Whether it has begun to close, by either side.</summary>
    public bool IsClosing => Volatile.Read(ref _closing) is not null;

    /// <summary>
    /// Whether the wire may read on. False while answers wait for the client: one that does not take them may not ask for more. The wire checks before each read and after each
    /// <see cref="OnWritable"/>. Any thread.
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
    /// <inheritdoc cref="Fail(Frame, ref SendOutcome)"/>
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

    /// <summary>A push threw, which is a bug: it is unknown how much of the frame the wire has taken, so the connection is cut.</summary>
    /// <param name="frame">What was pushed.</param>
    /// <param name="outcome">Set, also when the wire throws again: queued when the frame is in the outbox, where its connection's end counts it.</param>
    public void Fail(Frame frame, ref SendOutcome outcome)
    {
        lock (this)
        {
            outcome = _outbox?.Contains(frame) == true ? SendOutcome.Queued : SendOutcome.Failed;
            Abort(CloseReason.Failed);
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
            SendLocked(answer, isAnswer: true);
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

    /// <summary>Ends the connection at once after an unhandled exception: a bug, which costs only this client its connection. Never throws.</summary>
    public void Fail(Exception bug)
    {
        _rules.Failures.Add(log => log.ClientFailed(bug));
        try
        {
            Abort(CloseReason.Failed);
        }
        catch (Exception another)
        {
            // The wire cannot even be aborted. The connection is closing all the same and gets no frame any more.
            _rules.Failures.Add(log => log.ClientFailed(another));
        }
    }

    /// <summary>
    /// Frees what waits for this client, because all outboxes together hold too much: depending on the policy it drops its unsent PUSHes, with a GAP, or closes the connection.
    /// </summary>
    public ShedOutcome Shed()
    {
        lock (this)
        {
            if (_outbox is null || _closing is not null)
                return ShedOutcome.Nothing;
            if (TrimLocked())
                return ShedOutcome.Trimmed;
            CloseLocked(CloseReason.OutboxTotal);
            return ShedOutcome.Closed;
        }
    }

    /// <summary>Its part of what all outboxes hold together (<see cref="OutboxTotal"/>).</summary>
    public long OutboxShare()
    {
        // No lock for nearly all connections, which have no outbox.
        if (Volatile.Read(ref _outbox) is null)
            return 0;
        lock (this)
            return _outbox?.Share() ?? 0;
    }

    /// <summary>The wire can take bytes again.</summary>
    public void OnWritable()
    {
        lock (this)
        {
            if (_closing is { IsOver: true })
                return;
            var wasHeld = !MayReadLocked();
            DrainLocked();
            // The client was not read, so it could not be heard: its silence counts from now.
            if (wasHeld && MayReadLocked())
                Volatile.Write(ref _heardAt, _rules.Time.GetTimestamp());
        }
    }

    /// <summary>Bytes from the client; they are unmasked in place. All that is answered meanwhile leaves in one write.</summary>
    public void OnBytes(Span<byte> bytes)
    {
        var now = _rules.Time.GetTimestamp();
        Volatile.Write(ref _heardAt, now);
        // Nothing follows a close frame (RFC 6455, 5.5.1).
        if (Volatile.Read(ref _closing) is { IsEchoed: true })
            return;
        var inbound = _inbound ?? new Inbound(_rules.Connections.MaxMessageBytes);
        var input = inbound.Resume(bytes);
        while (inbound.TryRead(ref input, out var opcode, out var payload))
        {
            _isCorked |= !input.IsEmpty;
            if (opcode == Opcode.Close)
            {
                OnClose(payload);
                input = [];
            }
            else if (MayProcess(inbound.TakeFrames(), now))
            {
                OnFrame(opcode, payload);
            }
        }

        // Fragments of a message that is not whole yet.
        if (inbound.TakeFrames() is > 0 and var fragments)
            MayProcess(fragments, now);
        inbound.Keep(input);
        Volatile.Write(ref _inbound, inbound.IsIdle ? null : inbound);
        if (inbound.Violation is { } violation)
            Close(violation);
        if (_isCorked)
            Uncork();
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
                _rules.Metrics.DeliveriesDropped(_outbox.Clear(), DeliveryDrop.Closed);
            _outbox = null;
        }

        try
        {
            _session?.OnEnded();
        }
        finally
        {
            // Runs even if the session throws: the connection's place is free.
            _rules.Metrics.ConnectionClosed(reason.Label);
            _rules.Ended();
        }
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
        // A client that is not read cannot be heard; StuckAfter detects one that is gone.
        var quiet = MayReadLocked() ? Since(heardAt, now) : TimeSpan.Zero;
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
            SendLocked(ControlFrames.Ping, isAnswer: false);
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
    }

    /// <summary>Whether these frames are within the client's rate and the connection is not closing. Frames above the rate are refused, with one ERROR; after too many the connection is closed.</summary>
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

    /// <summary>Without an outbox, or with one that has no answers. A client that was closed for sending too much is not read at all until its time is over.</summary>
    private bool MayReadLocked() => _closing is null ? _outbox is not { HasAnswers: true } : _closing.Reason != CloseReason.RateLimited;

    private void Uncork()
    {
        lock (this)
        {
            _isCorked = false;
            if (_closing is not { IsOver: true })
                DrainLocked();
        }
    }

    private void OnClose(ReadOnlySpan<byte> payload)
    {
        lock (this)
        {
            if (_closing is null)
            {
                _closing = Begin(CloseReason.Client);
                SendLocked(ControlFrames.CloseEcho(payload), isAnswer: false);
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
        // The client does not take what is queued, so it gets only the reason.
        if (reason == CloseReason.TooSlow && _outbox is not null)
            _rules.Metrics.DeliveriesDropped(_outbox.DropUnsent(), DeliveryDrop.Slow);
        else if (reason == CloseReason.OutboxTotal && _outbox is not null)
            _rules.Metrics.DeliveriesDropped(_outbox.DropUnsent(), DeliveryDrop.OutboxTotal);
        SendLocked(ControlFrames.Close(reason.Code!.Value, reason.Text), isAnswer: false);
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
        var entry = new Outbox.Entry(frame, membership);
        // A begun frame has to be finished, whatever all outboxes hold.
        if (accepted == 0 && _rules.OutboxTotal.IsFull)
            RefuseLocked(entry, CloseReason.OutboxTotal, DeliveryDrop.OutboxTotal);
        else
            StartOutboxLocked(entry, accepted);
        return SendOutcome.Queued;
    }

    private void SendLocked(Frame frame, bool isAnswer)
    {
        if (_outbox is not null || _isCorked)
        {
            EnqueueLocked(new Outbox.Entry(frame, null, isAnswer));
            return;
        }

        var accepted = _wire.TryWrite(frame.Bytes);
        if (accepted == frame.Length)
            _rules.Metrics.BytesSent(accepted);
        else
            StartOutboxLocked(new Outbox.Entry(frame, null, isAnswer), accepted);
    }

    private void StartOutboxLocked(Outbox.Entry entry, int accepted)
    {
        _rules.Metrics.BytesSent(accepted);
        _outbox = NewOutbox();
        _outbox.Add(entry);
        _outbox.Accept(accepted);
    }

    private void EnqueueLocked(Outbox.Entry entry)
    {
        var isPush = entry.Membership is not null;
        // Shedding is under way and not done yet.
        if (_outbox is not null && isPush && _rules.OutboxTotal.IsFull)
        {
            TrimLocked();
            RefuseLocked(entry, CloseReason.OutboxTotal, DeliveryDrop.OutboxTotal);
            return;
        }

        var wasIdle = _outbox is null;
        _outbox ??= NewOutbox();
        if (!TryMakeRoomLocked(entry.Frame))
        {
            RefuseLocked(entry, CloseReason.TooSlow, DeliveryDrop.Slow);
            return;
        }

        _outbox.Add(entry);
        // With a small outbox one turn's answers may exceed it, even if the client takes them all.
        if (_isCorked ? _outbox.Bytes > _rules.Outbox.MaxBytes / 2 : wasIdle)
            DrainLocked();
        // An idle wire may have taken the frame. If it has not, the frame must not wait while somebody sheds.
        if (wasIdle && isPush && _outbox is not null && _rules.OutboxTotal.IsFull)
            TrimLocked();
    }

    /// <summary>Drops the oldest PUSHes until the frame fits, where the policy is to drop.</summary>
    /// <returns>False when it does not fit all the same.</returns>
    private bool TryMakeRoomLocked(Frame frame)
    {
        // All that comes once it is closing is the close frame, which a full outbox must not swallow.
        while (_closing is null && _outbox!.Bytes + Outbox.Cost(frame) > _rules.Outbox.MaxBytes)
        {
            if (_rules.Outbox.WhenFull != WhenFull.DropOldest || _outbox.DropOldestPush() is not { } dropped)
                return false;
            _rules.Metrics.DeliveriesDropped(dropped, DeliveryDrop.Slow);
        }

        return true;
    }

    /// <summary>There is no room for a frame, by policy or because what fills the outbox must not be dropped.</summary>
    private void RefuseLocked(Outbox.Entry entry, CloseReason reason, DeliveryDrop drop)
    {
        // All that was in it may have been dropped for this frame.
        if (_outbox is { IsEmpty: true })
            _outbox = null;
        if (_rules.Outbox.WhenFull == WhenFull.DropOldest && entry.Membership is { } membership)
            membership.Missed += entry.Frame.Loss;
        else
            CloseLocked(reason);
        // Last: if refusing a frame throws, the caller that pushed it counts it.
        _rules.Metrics.DeliveriesDropped(entry.Frame.Deliveries, drop);
    }

    /// <summary>Drops all unsent PUSHes, where the policy is to drop, because all outboxes together hold too much.</summary>
    /// <returns>False when there was none.</returns>
    private bool TrimLocked()
    {
        if (_rules.Outbox.WhenFull != WhenFull.DropOldest || _outbox!.DropPushes() is not { } dropped)
            return false;
        _rules.Metrics.DeliveriesDropped(dropped, DeliveryDrop.OutboxTotal);
        if (_outbox.IsEmpty)
            _outbox = null;
        return true;
    }

    private Outbox NewOutbox() => new(_rules.OutboxTotal, _rules.Time.GetTimestamp());

    private void DrainLocked()
    {
        while (_outbox is not null)
        {
            var next = _outbox.Next();
            var accepted = _wire.TryWrite(next);
            if (accepted > 0)
                _outbox.AcceptedAt = _rules.Time.GetTimestamp();
            _rules.Metrics.BytesSent(accepted);
            var (pushes, deliveries) = _outbox.Accept(accepted);
            if (pushes > 0)
                _rules.Metrics.FramesSent(pushes, deliveries);
            if (accepted < next.Length)
                return;
            if (_outbox.IsEmpty)
                _outbox = null;
        }

        CompleteIfDoneLocked();
    }
}
