using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using PushHosting.Logging;
using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.Control;

/// <summary>
/// All clients' connections that are not open yet, from accept until the head of a 101 or 200 is written, including TLS. They share one
/// limit and one time-out, which neither bytes nor further requests extend. At the limit, the oldest connection is cut to admit the new
/// one. Lives as long as the node; any thread.
/// </summary>
internal sealed class PendingHandshakes
{
    /// <summary>
    /// A handshake younger than this is not evicted. A normal one takes milliseconds. In a reconnect storm that overloads the node, the
    /// oldest is served next, and evicting it would waste the work done for it.
    /// </summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private readonly TimeSpan _timeout;
    private readonly NodeMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger<PendingHandshakes> _logger;
    private readonly LogPace _log;
    private readonly Lock _lock = new();

    // Guarded by the lock. All have the same time-out, so the first (the oldest) is the next to exceed it.
    private readonly LinkedList<PendingHandshake> _pending = new();

    public PendingHandshakes(ConnectionSettings settings, NodeMetrics metrics, TimeProvider time, ILogger<PendingHandshakes> logger)
    {
        (_timeout, _metrics, _time, _logger) = (settings.HandshakeTimeout, metrics, time, logger);
        _log = new LogPace(time);
        Limit = settings.HandshakesAllowed;
        metrics.ShowHandshakes(() => Count, Limit);
    }

    /// <summary>The maximum number of pending handshakes.</summary>
    public int Limit { get; }

    /// <summary>The number of pending handshakes.</summary>
    public int Count => _pending.Count;

    /// <summary>
    /// Sets Kestrel's own time-outs. They restart with a connection's first byte and with each request, so they cannot enforce the
    /// deadline. They expire only after <see cref="CutLate"/> has acted, which is up to a second late, and serve the publish API in a
    /// shared process.
    /// </summary>
    public static void OutlastIn(KestrelServerLimits kestrel, ConnectionSettings settings)
    {
        kestrel.RequestHeadersTimeout = settings.HandshakeTimeout + TimeSpan.FromSeconds(2);
        kestrel.KeepAliveTimeout = kestrel.RequestHeadersTimeout;
    }

    /// <summary>Connection middleware, outside all of Kestrel's own.</summary>
    public async Task RunAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        // The transport may have counted it already.
        var handshake = connection.Features.Get<PendingHandshake>() ?? TryBegin(() => Abort(connection));
        if (handshake is null)
        {
            Abort(connection);
            return;
        }

        connection.Features.Set(handshake);
        try
        {
            await next(connection);
        }
        finally
        {
            handshake.End();
        }
    }

    /// <summary>Cuts every connection past the deadline. Called by the node's tick.</summary>
    public void CutLate()
    {
        var now = _time.GetTimestamp();
        while (TakeOldest(now, _timeout) is { } late)
            Cut(late, HandshakeCut.Late);
    }

    /// <summary>The connection no longer needs its place: it is open to messages, or gone.</summary>
    public void End(PendingHandshake handshake)
    {
        lock (_lock)
        {
            if (handshake.Place.List is not null)
                _pending.Remove(handshake.Place);
        }
    }

    /// <summary>Counts a connection that has just been accepted.</summary>
    /// <param name="cut">Ends it without an answer. Does nothing if it has just been opened over epoll.</param>
    /// <returns>Its handshake; null at the limit, and the caller ends the connection.</returns>
    public PendingHandshake? TryBegin(Action cut)
    {
        var now = _time.GetTimestamp();
        var handshake = new PendingHandshake(this, cut, now);
        PendingHandshake? evicted = null;
        var isFull = false;
        lock (_lock)
        {
            isFull = _pending.Count >= Limit && (evicted = TakeOldestLocked(now, Grace)) is null;
            if (!isFull)
                _pending.AddLast(handshake.Place);
        }

        if (isFull)
        {
            Note(HandshakeCut.Full);
            return null;
        }

        if (evicted is not null)
            Cut(evicted, HandshakeCut.Evicted);
        return handshake;
    }

    private PendingHandshake? TakeOldest(long now, TimeSpan age)
    {
        lock (_lock)
            return TakeOldestLocked(now, age);
    }

    /// <summary>Removes the oldest from the list if it is at least <paramref name="age"/> old.</summary>
    private PendingHandshake? TakeOldestLocked(long now, TimeSpan age)
    {
        if (_pending.First is not { } first || _time.GetElapsedTime(first.Value.Since, now) < age)
            return null;
        _pending.Remove(first);
        return first.Value;
    }

    private void Cut(PendingHandshake handshake, HandshakeCut reason)
    {
        Note(reason);
        handshake.Cut();
    }

    private void Note(HandshakeCut reason)
    {
        _metrics.HandshakeCut(reason);
        if (reason != HandshakeCut.Late && _log.MayLog())
            _logger.HandshakesFull(Limit);
    }

    private static void Abort(ConnectionContext connection) =>
        connection.Abort(new ConnectionAbortedException("The connection was not opened in time, or too many were pending."));
}

/// <summary>One connection among the <see cref="PendingHandshakes"/>; a feature of the connection, for the code that upgrades it.</summary>
internal sealed class PendingHandshake : IDisposable
{
    private readonly PendingHandshakes _all;
    private readonly Action _cut;

    public PendingHandshake(PendingHandshakes all, Action cut, long since)
    {
        (_all, _cut, Since) = (all, cut, since);
        Place = new LinkedListNode<PendingHandshake>(this);
    }

    /// <summary>When it was accepted, as a timestamp.</summary>
    public long Since { get; }

    /// <summary>Its node in the list of all; guarded by that list's lock.</summary>
    public LinkedListNode<PendingHandshake> Place { get; }

    /// <inheritdoc cref="PendingHandshakes.End"/>
    public void End() => _all.End(this);

    public void Dispose() => End();

    /// <summary>Ends the connection without an answer.</summary>
    public void Cut() => _cut();
}
