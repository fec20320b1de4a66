using PushNode.Connections;
using PushNode.Messages;
using PushNode.Settings;
using PushNode.Subscription;
using PushNode.Telemetry;

namespace PushNode.Protocol;

/// <summary>The limits and services that all sessions of a node share. Any thread.</summary>
/// <param name="rooms">The node's rooms.</param>
/// <param name="settings">The limits of one client.</param>
/// <param name="metrics">Counts refusals.</param>
/// <param name="time">The clock of the rate limits.</param>
internal sealed class SessionRules(Rooms rooms, ConnectionSettings settings, NodeMetrics metrics, TimeProvider time)
{
    /// <summary>
    /// The smallest limit of requests that wait behind a JOIN, and the limit of JOINs of one room that wait for the backplane.
    /// </summary>
    public const int MaxWaiting = 32;

    private readonly RateLimit _joins = new(settings.JoinsPerSecond, settings.JoinBurst, time);

    /// <summary>The node's rooms.</summary>
    public Rooms Rooms { get; } = rooms;

    /// <summary>The number of rooms one client may join.</summary>
    public int MaxRooms => settings.MaxRooms;

    /// <summary>The number of requests that may wait behind a JOIN: at least as many as a URL may name rooms.</summary>
    public int MaxBehindJoin => Math.Max(MaxWaiting, MaxRooms);

    /// <summary>Counts one JOIN of a client against its rate.</summary>
    /// <param name="state">The client's state, which the session keeps.</param>
    /// <returns>Zero if the JOIN is within the rate; otherwise the time until the next one is allowed.</returns>
    public TimeSpan TakeJoin(ref long state)
    {
        var now = time.GetTimestamp();
        return _joins.TryTake(ref state, now) ? TimeSpan.Zero : _joins.TimeToNext(state, now);
    }

    /// <summary>Counts a refused request.</summary>
    /// <returns>The code of its ERROR.</returns>
    public string Refuse(RequestRefusal reason)
    {
        metrics.RequestRefused(reason);
        return ErrorCode.Of(reason);
    }
}
