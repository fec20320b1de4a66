using PushNode.Connections;
using PushNode.Messages;
using PushNode.Settings;
using PushNode.Subscription;
using PushNode.Telemetry;

namespace PushNode.Protocol;

/// <summary>What all sessions of a node share. Any thread.</summary>
/// <param name="rooms">The node's rooms.</param>
/// <param name="settings">What one client may do.</param>
/// <param name="metrics">Where refusals count.</param>
/// <param name="time">The clock of the rates.</param>
internal sealed class SessionRules(Rooms rooms, ConnectionSettings settings, NodeMetrics metrics, TimeProvider time)
{
    /// <summary>Requests that may wait behind a JOIN at least, and JOINs of one room that may wait for the backplane.</summary>
    public const int MaxWaiting = 32;

    private readonly RateLimit _joins = new(settings.JoinsPerSecond, settings.JoinBurst, time);

    /// <summary>The node's rooms.</summary>
    public Rooms Rooms { get; } = rooms;

    /// <summary>Rooms one client may be in.</summary>
    public int MaxRooms => settings.MaxRooms;

    /// <summary>Requests that may wait behind a JOIN: a URL may name as many rooms as there may be, and none of them is one too many.</summary>
    public int MaxBehindJoin => Math.Max(MaxWaiting, MaxRooms);

    /// <summary>Counts one JOIN of a client against its rate.</summary>
    /// <param name="state">What the session keeps of it.</param>
    /// <returns>How long the client has to wait for its next one; zero when this one is within its rate.</returns>
    public TimeSpan TakeJoin(ref long state)
    {
        var now = time.GetTimestamp();
        return _joins.TryTake(ref state, now) ? TimeSpan.Zero : _joins.TimeToNext(state, now);
    }

    /// <summary>Counts a refused request.</summary>
    /// <returns>The code for its ERROR.</returns>
    public string Refuse(RequestRefusal reason)
    {
        metrics.RequestRefused(reason);
        return ErrorCode.Of(reason);
    }
}
