using PushNode.Messages;
using PushNode.Settings;
using PushNode.Telemetry;
using PushNode.WebSocket;

namespace PushNode.Connections;

/// <summary>
/// One client, from the upgrade until its reader ends. Any thread may send or close: these methods never block or await, and bytes that the
/// wire does not take wait in a bounded outbox (Connection.Sending.cs). Only the wire's reader, one thread at a time, calls
/// <see cref="OnBytes"/> and <see cref="OnEnded"/> (Connection.Receiving.cs). This file has the timeouts and the end of the connection.
/// </summary>
internal sealed partial class Connection
{
    // The gate is the connection itself, which saves an object for each connection. No other type locks it.
    private readonly ConnectionRules _rules;
    private readonly IWire _wire;
    private ClientSession? _session;

    // Null for most connections, most of the time.
    private MessageReader? _incoming;
    private Outbox? _outbox;
    private Closing? _closing;

    /// <summary>When the client was last heard, as a time stamp; for one that cannot send, the time of its last heartbeat.</summary>
    private long _heardAt;

    /// <summary>
    /// The lower half of the <see cref="_heardAt"/> before the last ping: enough to see whether the client has been heard since. 0 before
    /// the first ping.
    /// </summary>
    private int _pingedAfter;

    /// <summary>When the session wants to be called, in seconds since 1970; the largest value for never.</summary>
    private uint _due = uint.MaxValue;

    private readonly byte _shard;
    private readonly Variant _variant;

    /// <summary>The reader has more frames to process: their answers are collected and leave in one write.</summary>
    private bool _isCorked;

    /// <summary>A shard's thread has begun a push (<see cref="TryBeginSend"/>). Guarded by the gate.</summary>
    private bool _isPushing;

    /// <summary>The client has been told that it sends too many messages. Used by the reader only.</summary>
    private bool _isRefusalTold;

    /// <summary>The state of <see cref="ConnectionRules.Messages"/> for this client. Used by the reader only.</summary>
    private long _messages;

    /// <param name="rules">The limits and services that all connections share.</param>
    /// <param name="wire">Carries this connection's bytes.</param>
    /// <param name="shard">The shard that holds its memberships.</param>
    /// <param name="variant">What its client understands.</param>
    public Connection(ConnectionRules rules, IWire wire, int shard, Variant variant = Variant.Json)
    {
        _rules = rules;
        _wire = wire;
        _heardAt = rules.Time.GetTimestamp();
        _shard = checked((byte)shard);
        _variant = variant;
        wire.Attach(this);
        // It answers nothing, so only the kernel sees whether it still takes its heartbeats.
        if (!Framing.IsDuplex)
            wire.LimitUnacknowledged(Settings.CloseAfter - Settings.HeartbeatTime);
        rules.Metrics.ConnectionAccepted(variant);
    }

    /// <summary>When the session's <see cref="ClientSession.OnDue"/> is called, at the next tick; null for never. Set by the session.</summary>
    public DateTimeOffset? Due
    {
        // Rounded up: early would be too early for good, because it is called once.
        set => Volatile.Write(ref _due, (uint)Math.Clamp(Math.Ceiling(((value ?? DateTimeOffset.MaxValue) - DateTimeOffset.UnixEpoch).TotalSeconds), 0, uint.MaxValue));
    }

    /// <summary>The shard that has its memberships.</summary>
    public int Shard => _shard;

    /// <summary>What its client understands.</summary>
    public Variant Variant => _variant;

    /// <summary>Its limits and times.</summary>
    public ConnectionSettings Settings => _rules.Connections;

    /// <summary>The most bytes to give to it at once besides what comes by itself: more would soon be dropped if it reads slowly.</summary>
    public long MostAtOnce => _rules.Outbox.MaxBytes / 2;

    private Framing Framing => Framing.Of(_variant);

    /// <summary>Whether either side has started to close it.</summary>
    public bool IsClosing => Volatile.Read(ref _closing) is not null;

    /// <summary>Sets the session that processes the client's messages. Called once, before the first byte is read.</summary>
    public void Attach(ClientSession session) => _session = session;

    /// <summary>
    /// Starts to close: queued frames are sent first (unless the client is too slow), then the close frame. The connection ends when the
    /// client has echoed it, or after <see cref="ConnectionSettings.CloseTimeout"/>. Only the first reason counts.
    /// </summary>
    /// <param name="reason">A reason with a close code.</param>
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

    /// <summary>
    /// Ends the connection at once after an unhandled exception, which is a bug; other connections are not affected. Never throws.
    /// </summary>
    public void Fail(Exception bug)
    {
        _rules.Failures.Add(log => log.ClientFailed(bug));
        try
        {
            Abort(CloseReason.Failed);
        }
        catch (Exception e)
        {
            // A bug: not even aborting the wire works. The connection is closing and gets no more frames.
            _rules.Failures.Add(log => log.ClientFailed(e));
        }
    }

    /// <summary>
    /// The reader has ended: the client is gone, or the wire was completed or aborted. The reader's last call. Other threads that still
    /// have the connection in a list see that it has ended and do not use its wire, which may carry another connection by then.
    /// </summary>
    /// <param name="isOrderly">
    /// Whether the client has ended its side of the connection in order (a FIN). Only a WebSocket client has another way to say goodbye.
    /// </param>
    public void OnEnded(bool isOrderly = false)
    {
        CloseReason reason;
        lock (this)
        {
            _closing ??= Begin(isOrderly && !Framing.IsDuplex ? CloseReason.Client : CloseReason.Lost);
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
            // Runs even if the session throws, so that the connection's place is freed.
            _rules.Metrics.ConnectionClosed(reason.Label, _variant);
            _rules.Ended(this);
        }
    }

    /// <summary>
    /// Applies the timeouts: pings a quiet client, and ends one that does not answer, does not read, or does not finish closing. A client that
    /// cannot answer gets a heartbeat now and then, and the kernel finds out if it is gone.
    /// </summary>
    /// <param name="now">A time stamp of the rules' clock.</param>
    public void CheckTime(long now)
    {
        // Most connections return here without taking a lock. A change at this moment is seen by the next tick.
        var heardAt = Volatile.Read(ref _heardAt);
        if (Volatile.Read(ref _outbox) is null && Volatile.Read(ref _closing) is null && Since(heardAt, now) < QuietTime(heardAt))
            return;

        lock (this)
        {
            if (_closing is null)
                CheckOpenLocked(now);
            else if (!_closing.IsOver)
                CheckClosingLocked(_closing, now);
        }
    }

    /// <summary>Calls the session if its <see cref="Due"/> has come.</summary>
    /// <param name="now">The time.</param>
    /// <param name="seconds">The same in seconds since 1970.</param>
    public void CheckDue(DateTimeOffset now, long seconds)
    {
        if (seconds < Volatile.Read(ref _due) || IsClosing)
            return;
        Due = null;
        _session?.OnDue(now);
    }

    private void CheckOpenLocked(long now)
    {
        if (_outbox is not null && Since(_outbox.AcceptedAt, now) >= _rules.Outbox.StuckAfter)
            CloseLocked(CloseReason.TooSlow);
        else if (Framing.IsDuplex)
            CheckSilenceLocked(now);
        else if (_outbox is null && Since(_heardAt, now) >= QuietTime(_heardAt))
            BeatLocked(now);
    }

    private void CheckSilenceLocked(long now)
    {
        var heardAt = Volatile.Read(ref _heardAt);
        // While the node does not read from the client, silence proves nothing; StuckAfter detects a client that is gone.
        var quiet = MayReadLocked() ? Since(heardAt, now) : TimeSpan.Zero;
        if (quiet >= _rules.Connections.CloseAfter)
        {
            _closing = Begin(CloseReason.Silent);
            _wire.Abort();
        }
        else if (quiet >= QuietTime(heardAt) && _pingedAfter != (int)heardAt)
        {
            _pingedAfter = (int)heardAt;
            SendLocked(Framing.Heartbeat, isAnswer: false);
        }
    }

    private void BeatLocked(long now)
    {
        Volatile.Write(ref _heardAt, now);
        SendLocked(Framing.Heartbeat, isAnswer: false);
    }

    private void CheckClosingLocked(Closing closing, long now)
    {
        if (Since(closing.Since, now) >= _rules.Connections.CloseTimeout)
            _wire.Abort();
        else if (_outbox is null && Volatile.Read(ref _incoming)?.Violation is not null && Since(Volatile.Read(ref _heardAt), now) >= EchoTime)
            _wire.Complete();
    }

    /// <summary>The time until the next sign of life; a little different each time, so that clients do not get theirs together.</summary>
    private TimeSpan QuietTime(long heardAt) =>
        PingSpread.QuietTime(Framing.IsDuplex ? Settings.PingAfter : Settings.HeartbeatTime, heardAt);

    private TimeSpan Since(long then, long now) => _rules.Time.GetElapsedTime(then, now);

    private void CloseLocked(CloseReason reason)
    {
        if (_closing is not null)
            return;
        _closing = Begin(reason);
        // The client does not read its queued frames, so only the close frame is sent.
        if (reason == CloseReason.TooSlow && _outbox is not null)
            _rules.Metrics.DeliveriesDropped(_outbox.DropUnsent(), DeliveryDrop.Slow);
        else if (reason == CloseReason.OutboxTotal && _outbox is not null)
            _rules.Metrics.DeliveriesDropped(_outbox.DropUnsent(), DeliveryDrop.OutboxTotal);
        SendLocked(new Frame(Framing.Close(reason)), isAnswer: false);
        // There is no echo to wait for. A client that keeps sending is not read any more: ending its connection now would reset it, and the
        // client would lose the reason.
        if (Framing.IsDuplex || reason == CloseReason.RateLimited)
            return;
        _closing.IsEchoed = true;
        CompleteIfDoneLocked();
    }

    private Closing Begin(CloseReason reason) => new(reason, _rules.Time.GetTimestamp());

    private void CompleteIfDoneLocked()
    {
        if (_outbox is null && _closing is { IsEchoed: true, IsOver: false })
            _wire.Complete();
    }

    /// <summary>The end of a connection, from the moment either side starts it. Guarded by the gate.</summary>
    private sealed class Closing(CloseReason reason, long since)
    {
        /// <summary>The first reason.</summary>
        public CloseReason Reason { get; } = reason;

        /// <summary>When it began, as a time stamp.</summary>
        public long Since { get; } = since;

        /// <summary>The client has sent its close frame, or cannot send one; nothing more is read.</summary>
        public bool IsEchoed { get; set; }

        /// <summary>The reader has ended. The wire may carry another connection and must not be used.</summary>
        public bool IsOver { get; set; }
    }
}
