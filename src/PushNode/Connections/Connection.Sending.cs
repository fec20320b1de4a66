using PushNode.Messages;
using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.Connections;

/// <summary>The outcome of a push.</summary>
internal enum SendOutcome
{
    /// <summary>The wire accepted all bytes.</summary>
    Sent,

    /// <summary>The frame waits in the outbox; the connection counts its outcome.</summary>
    Queued,

    /// <summary>The client has left the room since the members were listed.</summary>
    Left,

    /// <summary>The client has entered the room with what the frame says.</summary>
    Known,

    /// <summary>The connection has started to close since the members were listed.</summary>
    Closed,

    /// <summary>The push threw, which is a bug; the connection is cut.</summary>
    Failed,
}

/// <summary>What a connection lost when all outboxes together held too much.</summary>
internal enum ShedOutcome
{
    /// <summary>Nothing: its outbox is empty, or it is closing.</summary>
    Nothing,

    /// <summary>Its unsent PUSHes.</summary>
    Trimmed,

    /// <summary>The connection.</summary>
    Closed,
}

/// <content>The outbound half: frames go to the wire, or to the outbox if the wire does not take them.</content>
internal sealed partial class Connection
{
    /// <summary>
    /// Tries to push a frame to a member. The caller counts every outcome but <see cref="SendOutcome.Queued"/>, summed per shard; the
    /// connection counts queued frames.
    /// </summary>
    public SendOutcome TrySend(Frame frame, Membership membership)
    {
        lock (this)
        {
            if (_closing is not null)
                return SendOutcome.Closed;
            if (!membership.IsActive)
                return SendOutcome.Left;
            if (membership.Has(frame))
                return SendOutcome.Known;

            if (_outbox is null && membership.Missed == 0)
                return AcceptedLocked(frame, membership, _wire.TryWrite(frame.Bytes));
            EnqueueLocked(new Outbox.Entry(frame, membership));
            return SendOutcome.Queued;
        }
    }

    /// <summary>
    /// Begins a push whose bytes the caller writes to the wire's socket itself. Takes the gate, which the caller holds until
    /// <see cref="EndSend"/>. Never waits for the gate: a thread that holds one gate must not wait for another.
    /// </summary>
    /// <returns>
    /// The socket; null if the gate is taken, if a push has begun already, or if the frame has to be queued or left out. The caller then uses
    /// <see cref="TrySend"/>, in the second case after the end of the other push.
    /// </returns>
    public int? TryBeginSend(Frame frame, Membership membership)
    {
        if (_wire.Socket is not { } socket || !Monitor.TryEnter(this))
            return null;
        // The gate opens again for the thread that has it: what the socket takes of the push under way is not known yet.
        if (!_isPushing && _closing is null && membership.IsActive && _outbox is null && membership.Missed == 0 && !membership.Has(frame))
        {
            _isPushing = true;
            return socket;
        }

        Monitor.Exit(this);
        return null;
    }

    /// <summary>Ends a push that <see cref="TryBeginSend"/> began, on the same thread.</summary>
    /// <param name="frame">The frame that was sent.</param>
    /// <param name="membership">The member.</param>
    /// <param name="accepted">The number of bytes that the socket has accepted.</param>
    public SendOutcome EndSend(Frame frame, Membership membership, int accepted)
    {
        _isPushing = false;
        try
        {
            return AcceptedLocked(frame, membership, accepted);
        }
        finally
        {
            Monitor.Exit(this);
        }
    }

    /// <summary>
    /// Ends a push that <see cref="TryBeginSend"/> began, on the same thread, if an exception leaves unknown how much the socket has
    /// accepted.
    /// </summary>
    /// <inheritdoc cref="Fail(Frame, ref SendOutcome)"/>
    public void EndFailedSend(Frame frame, ref SendOutcome outcome)
    {
        _isPushing = false;
        try
        {
            Fail(frame, ref outcome);
        }
        finally
        {
            Monitor.Exit(this);
        }
    }

    /// <summary>Cuts the connection because a push threw, which is a bug: how much of the frame the wire has taken is unknown.</summary>
    /// <param name="frame">The frame that was pushed.</param>
    /// <param name="outcome">
    /// Set even if the wire throws again: <see cref="SendOutcome.Queued"/> if the frame is in the outbox, whose end counts it.
    /// </param>
    public void Fail(Frame frame, ref SendOutcome outcome)
    {
        lock (this)
        {
            outcome = _outbox?.Contains(frame) == true ? SendOutcome.Queued : SendOutcome.Failed;
            Abort(CloseReason.Failed);
        }
    }

    /// <summary>Sends what the connection's framing begins with. Called once, before any other frame.</summary>
    public void Greet()
    {
        if (Framing.Greeting() is { } greeting)
            Send(new Frame(greeting));
    }

    /// <summary>Sends an answer or another frame that is not a PUSH; ignored if the connection is closing.</summary>
    public void Send(Frame frame) => SendAnd(frame, static () => { });

    /// <summary>
    /// Changes membership and queues the answer atomically, so no PUSH slips between joining and JOINED, or leaving and LEFT. Makes the
    /// change before it queues the answer, so a message published after the client has read JOINED reaches the client.
    /// </summary>
    /// <param name="answer">The frame to send.</param>
    /// <param name="change">Runs under the connection's gate; may take a shard's lock and no other.</param>
    /// <returns>False, with nothing changed, if the connection is closing.</returns>
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
    /// Enters a room that remembers its messages: the change, its answer and what the client has missed, atomically. What it has missed is pushed as a
    /// shard does, and counted here.
    /// </summary>
    /// <param name="membership">The member.</param>
    /// <param name="change">
    /// Runs under the connection's gate; may take a shard's lock and then, without it, that of a <c>RoomHistory</c>. Null to send nothing.
    /// </param>
    public void SendAndPush(Membership membership, Func<(Frame Answer, IReadOnlyList<Batch> Missed)?> change)
    {
        lock (this)
        {
            if (_closing is not null || change() is not { } sent)
                return;
            SendLocked(sent.Answer, isAnswer: true);
            foreach (var batch in sent.Missed)
                PushLocked(batch.For(_variant), membership);
        }
    }

    /// <summary>
    /// Frees outbox memory because all outboxes together hold too much: drops this client's unsent PUSHes, with a GAP, or closes the
    /// connection, depending on the policy.
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

    /// <summary>Its share of what all outboxes hold together (<see cref="OutboxTotal"/>).</summary>
    public long OutboxShare()
    {
        // Most connections have no outbox and need no lock.
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
            // The node was not reading from the client, so its silence counts only from now.
            if (wasHeld && MayReadLocked())
                Volatile.Write(ref _heardAt, _rules.Time.GetTimestamp());
        }
    }

    private void PushLocked(Frame frame, Membership membership)
    {
        _rules.Metrics.DeliveriesExpected(frame.Deliveries);
        // The outbox may have become too full for the policy.
        if (_closing is not null)
        {
            _rules.Metrics.DeliveriesDropped(frame.Deliveries, DeliveryDrop.Closed);
        }
        else if (_outbox is not null || _isCorked || membership.Missed != 0)
        {
            EnqueueLocked(new Outbox.Entry(frame, membership));
        }
        else if (AcceptedLocked(frame, membership, _wire.TryWrite(frame.Bytes)) == SendOutcome.Sent)
        {
            _rules.Metrics.BytesSent(frame.Length, _variant);
            _rules.Metrics.FramesSent(1, frame.Deliveries);
        }
    }

    private SendOutcome AcceptedLocked(Frame frame, Membership membership, int accepted)
    {
        if (accepted == frame.Length)
            return SendOutcome.Sent;
        var entry = new Outbox.Entry(frame, membership);
        // The rest of a frame that the wire has begun is always queued.
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
            _rules.Metrics.BytesSent(accepted, _variant);
        else
            StartOutboxLocked(new Outbox.Entry(frame, null, isAnswer), accepted);
    }

    private void StartOutboxLocked(Outbox.Entry entry, int accepted)
    {
        _rules.Metrics.BytesSent(accepted, _variant);
        _outbox = NewOutbox();
        _outbox.Add(entry);
        _outbox.Accept(accepted);
    }

    private void EnqueueLocked(Outbox.Entry entry)
    {
        var isPush = entry.Membership is not null;
        // Shedding is still under way.
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
        // The answers of one turn may exceed a small outbox even if the client reads them all.
        if (_isCorked ? _outbox.Bytes > _rules.Outbox.MaxBytes / 2 : wasIdle)
            DrainLocked();
        // An idle wire may have taken the frame. If it has not, the frame must not wait during shedding.
        if (wasIdle && isPush && _outbox is not null && _rules.OutboxTotal.IsFull)
            TrimLocked();
    }

    /// <summary>Drops the oldest PUSHes until the frame fits, if the policy is to drop. An empty outbox takes any frame, as an idle wire does.</summary>
    /// <returns>False if the frame does not fit.</returns>
    private bool TryMakeRoomLocked(Frame frame)
    {
        // A closing connection sends only its close frame, which a full outbox must not drop.
        while (_closing is null && !_outbox!.IsEmpty && _outbox.Bytes + Outbox.Cost(frame) > _rules.Outbox.MaxBytes)
        {
            if (_rules.Outbox.WhenFull != WhenFull.DropOldest || _outbox.DropOldestPush() is not { } dropped)
                return false;
            _rules.Metrics.DeliveriesDropped(dropped, DeliveryDrop.Slow);
        }

        return true;
    }

    /// <summary>Drops a frame that does not fit, or closes the connection: by policy, or if only answers fill the outbox.</summary>
    private void RefuseLocked(Outbox.Entry entry, CloseReason reason, DeliveryDrop drop)
    {
        // Everything in it may have been dropped for this frame.
        if (_outbox is { IsEmpty: true })
            _outbox = null;
        if (_rules.Outbox.WhenFull == WhenFull.DropOldest && entry.Membership is { } membership)
            membership.Miss(entry.Frame);
        else
            CloseLocked(reason);
        // Counted last: if refusing the frame throws, the caller that pushed it counts it.
        _rules.Metrics.DeliveriesDropped(entry.Frame.Deliveries, drop);
    }

    /// <summary>Drops all unsent PUSHes because all outboxes together hold too much, if the policy is to drop.</summary>
    /// <returns>False if there was none.</returns>
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
            _rules.Metrics.BytesSent(accepted, _variant);
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
