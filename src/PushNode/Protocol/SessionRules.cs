using PushNode.Access;
using PushNode.Connections;
using PushNode.Messages;
using PushNode.Paging;
using PushNode.Sending;
using PushNode.Settings;
using PushNode.Subscription;
using PushNode.Telemetry;

namespace PushNode.Protocol;

/// <summary>The limits and services that all sessions of a node share. Any thread.</summary>
/// <param name="rooms">The node's rooms.</param>
/// <param name="users">The users' connections.</param>
/// <param name="sends">Carries out SENDs.</param>
/// <param name="pages">Carries out HISTORYs.</param>
/// <param name="access">What tokens allow.</param>
/// <param name="settings">The limits of one client.</param>
/// <param name="metrics">Counts refusals.</param>
/// <param name="time">The clock of the rate limits.</param>
internal sealed class SessionRules(
    Rooms rooms, UserConnections users, Sends sends, HistoryPages pages, AccessRules access, ConnectionSettings settings, NodeMetrics metrics, TimeProvider time)
{
    /// <summary>
    /// The smallest limit of requests that wait behind a JOIN, and the limit of JOINs of one room that wait for the backplane.
    /// </summary>
    public const int MaxWaiting = 32;

    /// <summary>
    /// An AUTH counts as this many JOINs: one a second by default, after a burst of ten. Verifying RSA or ECDSA takes as long as 5 to 15 JOINs.
    /// </summary>
    private const int JoinsPerAuth = 10;

    private readonly RateLimit _joins = new(settings.JoinsPerSecond, settings.JoinBurst, time);

    /// <summary>The node's rooms.</summary>
    public Rooms Rooms { get; } = rooms;

    /// <summary>What tokens allow.</summary>
    public AccessRules Access { get; } = access;

    /// <summary>The users' connections.</summary>
    public UserConnections Users { get; } = users;

    /// <summary>Carries out SENDs.</summary>
    public Sends Sends { get; } = sends;

    /// <summary>Carries out HISTORYs.</summary>
    public HistoryPages Pages { get; } = pages;

    /// <summary>The number of rooms one client may join.</summary>
    public int MaxRooms => settings.MaxRooms;

    /// <summary>The number of requests that may wait behind a JOIN: at least as many as a URL may name rooms.</summary>
    public int MaxBehindJoin => Math.Max(MaxWaiting, MaxRooms);

    /// <summary>Counts one JOIN of a client against its rate.</summary>
    /// <param name="state">The client's state, which the session keeps.</param>
    /// <returns>Zero if the JOIN is within the rate; otherwise the time until the next one is allowed.</returns>
    public TimeSpan TakeJoin(ref long state) => TakeJoins(ref state, 1);

    /// <summary>Counts one AUTH of a client against its rate of JOINs.</summary>
    /// <inheritdoc cref="TakeJoin"/>
    public TimeSpan TakeAuth(ref long state) => TakeJoins(ref state, Math.Min(JoinsPerAuth, settings.JoinBurst));

    /// <summary>The time.</summary>
    public DateTimeOffset Now => time.GetUtcNow();

    private TimeSpan TakeJoins(ref long state, int count)
    {
        var now = time.GetTimestamp();
        return _joins.TryTake(ref state, now, count) ? TimeSpan.Zero : _joins.TimeToNext(state, now, count);
    }

    /// <summary>Changes the number of JOINs that wait.</summary>
    public void JoinsWaiting(int change) => metrics.JoinsWaiting(change);

    /// <summary>Counts a JOIN with a position in a room that remembers its messages.</summary>
    public void Resumed(bool recovered) => Rooms.Histories!.Metrics.Resumed(recovered);

    /// <summary>Counts a refused request.</summary>
    /// <returns>The code of its ERROR.</returns>
    public string Refuse(RequestRefusal reason)
    {
        metrics.RequestRefused(reason);
        return ErrorCode.Of(reason);
    }
}
