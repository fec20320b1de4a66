using PushBackplane;
using PushNode.Connections;
using PushNode.Messages;
using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.Sending;

/// <summary>The limits of SENDs: of each connection, user and room of this node, and of all together. Lives as long as the node; any thread.</summary>
internal sealed class SendLimits
{
    /// <summary>SENDs of one connection that may wait for the backplane.</summary>
    public const int MostInFlight = 8;

    /// <summary>Users or rooms that are remembered because they sent of late: about 10 MB each.</summary>
    internal const int MostKeys = 100_000;

    private readonly RateLimit _connection;
    private readonly KeyedRate<UserId> _users;
    private readonly KeyedRate<RoomId> _rooms;
    private readonly long _mostPending;
    private readonly TimeProvider _time;
    private long _pending;
    private long _inFlight;

    public SendLimits(SendSettings settings, NodeMetrics metrics, TimeProvider time)
    {
        _connection = new RateLimit(settings.PerSecond, settings.Burst, time);
        _users = new KeyedRate<UserId>(new RateLimit(settings.PerSecondPerUser, settings.BurstPerUser, time), MostKeys);
        _rooms = new KeyedRate<RoomId>(new RateLimit(settings.PerSecondPerRoom, settings.BurstPerRoom, time), MostKeys);
        (_mostPending, _time) = (settings.MaxPendingBytes, time);
        metrics.CountSends(() => Interlocked.Read(ref _inFlight), () => Interlocked.Read(ref _pending), settings.MaxPendingBytes);
    }

    /// <summary>Users and rooms that are remembered.</summary>
    internal int Keys => _users.Count + _rooms.Count;

    /// <summary>Counts a SEND, which <see cref="Leave"/> ends.</summary>
    /// <param name="sender">The connection's share. Guarded by the session's lock, but for what <see cref="Leave"/> changes.</param>
    /// <param name="user">Who sends.</param>
    /// <param name="room">Where to.</param>
    /// <param name="bytes">The length of the message.</param>
    /// <returns>The limit that it is over; null if it is counted.</returns>
    public SendResult? TryEnter(SenderState sender, UserId user, RoomId room, int bytes)
    {
        var now = _time.GetTimestamp();
        if (Volatile.Read(ref sender.InFlight) >= MostInFlight)
            return SendResult.InFlight;
        // A refused one counts against the limits before: who sends too much to a full room sends too much.
        if (!_connection.TryTake(ref sender.Used, now))
            return SendResult.ConnectionRate;
        if (!_users.TryTake(user, now))
            return SendResult.UserRate;
        if (!_rooms.TryTake(room, now))
            return SendResult.RoomRate;
        if (Interlocked.Add(ref _pending, bytes) > _mostPending)
        {
            Interlocked.Add(ref _pending, -bytes);
            return SendResult.Pending;
        }

        Interlocked.Increment(ref sender.InFlight);
        Interlocked.Increment(ref _inFlight);
        return null;
    }

    /// <summary>The backplane has answered, or will not.</summary>
    public void Leave(SenderState sender, int bytes)
    {
        Interlocked.Add(ref _pending, -bytes);
        Interlocked.Decrement(ref sender.InFlight);
        Interlocked.Decrement(ref _inFlight);
    }

    /// <summary>Forgets what no longer matters. Called by the node's tick.</summary>
    public void Sweep()
    {
        var now = _time.GetTimestamp();
        _users.Sweep(now);
        _rooms.Sweep(now);
    }
}

/// <summary>What one connection has sent of late. Lives as long as the connection, and as the last of its SENDs.</summary>
internal sealed class SenderState
{
    /// <summary>The state of the connection's rate; guarded by the session's lock.</summary>
    public long Used;

    /// <summary>SENDs that wait for the backplane; changed atomically.</summary>
    public int InFlight;
}
