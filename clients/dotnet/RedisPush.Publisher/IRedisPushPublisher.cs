using System.Collections.ObjectModel;

namespace RedisPush.Publisher;

/// <summary>
/// Publishes messages to rooms, to users or to all clients: over HTTP (<see cref="HttpPublisher"/>) or straight to Redis (<see
/// cref="RedisPublisher"/>). Any thread may use it. Messages of one call arrive in their order; calls that are awaited one after the other
/// arrive in that order, too.
/// </summary>
public interface IRedisPushPublisher
{
    /// <summary>Publishes messages to one room.</summary>
    /// <param name="room">1 to 128 bytes of UTF-8 without control characters and without '/', and not '.' or '..'.</param>
    /// <param name="items">At least one.</param>
    /// <param name="cancellationToken">Gives up; the messages may or may not have been published.</param>
    /// <exception cref="ArgumentException">No server accepts the room's name, or there are no items.</exception>
    /// <exception cref="PublishException">The messages were refused, or nobody confirmed them in time.</exception>
    Task<PublishResult> PublishAsync(string room, IReadOnlyList<PushItem> items, CancellationToken cancellationToken = default);

    /// <summary>Publishes each of some messages to each of some rooms.</summary>
    /// <param name="rooms">At least one, each once.</param>
    /// <param name="items">At least one.</param>
    /// <param name="cancellationToken">Gives up; the messages may or may not have been published.</param>
    /// <inheritdoc cref="PublishAsync(string, IReadOnlyList{PushItem}, CancellationToken)"/>
    Task<PublishResult> PublishAsync(IReadOnlyList<string> rooms, IReadOnlyList<PushItem> items, CancellationToken cancellationToken = default);

    /// <summary>Publishes messages to one user: to every connection with a token of that user, in whichever rooms.</summary>
    /// <param name="user">1 to 128 bytes of UTF-8 without control characters and without '/', and not '.' or '..'.</param>
    /// <param name="items">At least one.</param>
    /// <param name="cancellationToken">Gives up; the messages may or may not have been published.</param>
    /// <inheritdoc cref="PublishAsync(string, IReadOnlyList{PushItem}, CancellationToken)"/>
    Task<PublishResult> PublishToUserAsync(string user, IReadOnlyList<PushItem> items, CancellationToken cancellationToken = default);

    /// <summary>Publishes messages to all clients.</summary>
    /// <inheritdoc cref="PublishAsync(string, IReadOnlyList{PushItem}, CancellationToken)"/>
    Task<PublishResult> BroadcastAsync(IReadOnlyList<PushItem> items, CancellationToken cancellationToken = default);
}

/// <summary>What became of a publish that was confirmed.</summary>
/// <param name="Accepted">How many messages: items times rooms.</param>
/// <param name="Nodes">
/// How many nodes they reached, not viewers; for several rooms the smallest of their numbers. 0 if no node has a member of the room, or a connection of the user.
/// </param>
public readonly record struct PublishResult(long Accepted, long Nodes)
{
    /// <summary>
    /// Whether an earlier request with the same key had published everything already: another call, or this one when its answer was lost.
    /// </summary>
    public bool Replayed { get; init; }

    /// <summary>Where the last message is in the room's history; null if the room keeps none, and for several rooms.</summary>
    public RoomPosition? Position { get; init; }

    /// <summary>For several rooms: where the last message is in each that has history, by its name.</summary>
    public IReadOnlyDictionary<string, RoomPosition> Positions { get => field ?? ReadOnlyDictionary<string, RoomPosition>.Empty; init; }
}
