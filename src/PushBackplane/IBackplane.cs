using PushBackplane.History;

namespace PushBackplane;

/// <summary>
/// Carries messages from publishers to nodes: literal channels, at most once, in order per channel and server. There are two implementations:
/// Redis, on one or several servers, and memory inside one process. One instance per process; any thread may call every member.
/// </summary>
public interface IBackplane
{
    /// <summary>
    /// The kind and address of the backplane, for the start-up log: "Redis at localhost:6379" or "memory". Never holds a password.
    /// </summary>
    string Description { get; }

    /// <summary>The channel that carries commands to nodes.</summary>
    BackplaneChannel Control { get; }

    /// <summary>The channel that carries a topic's messages.</summary>
    BackplaneChannel Channel(Topic topic);

    /// <summary>Publishes one payload on the channel's home server.</summary>
    /// <returns>
    /// The number of subscribers that the payload reached (nodes, not viewers), or null when the home is unavailable or did not confirm in
    /// time: then the payload may or may not have been delivered.
    /// </returns>
    Task<int?> PublishAsync(BackplaneChannel channel, ReadOnlyMemory<byte> payload);

    /// <summary>
    /// Publishes one payload on the channel's home server, unless it was published there with this key in the last
    /// <see cref="IdempotencyKey.Lifetime"/>. The check and the publish are one atomic step on the home, even if others publish with
    /// the key at the same time. The home forgets its keys when it loses its data.
    /// </summary>
    Task<OnceOutcome> PublishOnceAsync(BackplaneChannel channel, ReadOnlyMemory<byte> payload, IdempotencyKey key);

    /// <summary>
    /// Publishes one payload of a user into a room, unless the user's last one there is more recent than <paramref name="spacing"/>, by whatever
    /// process. The look and the publish are one atomic step on the room's home.
    /// </summary>
    /// <param name="room">The room.</param>
    /// <param name="user">Who sends.</param>
    /// <param name="spacing">The least time between two payloads of the user in the room; a millisecond or more.</param>
    /// <param name="payload">What to publish.</param>
    Task<SpacedOutcome> PublishSpacedAsync(RoomId room, UserId user, TimeSpan spacing, ReadOnlyMemory<byte> payload);

    /// <summary>
    /// Subscribes to one channel, by its literal name (a <c>*</c> is not a pattern), on every server. The subscription lasts until
    /// <see cref="UnsubscribeAsync"/>, through all outages. Calls for one channel take effect in the order in which they are made, even
    /// when not awaited.
    /// </summary>
    /// <param name="channel">One of this backplane's channels.</param>
    /// <param name="onPayload">
    /// Called with each payload, one call at a time per server, in the order in which that server received them. The payload's memory is
    /// never reused. The callback runs on the backplane's thread and must only enqueue: Redis disconnects a slow subscriber.
    /// </param>
    /// <param name="onLoss">
    /// Called with the server once per outage of it, after the last payload from before it. The payloads published on that server during the outage
    /// are lost to the subscription; every later payload from it is newer than those. Never called for losses before the subscription was acknowledged. It must
    /// only enqueue.
    /// </param>
    /// <returns>
    /// Completes when the channel's home and every other available server have acknowledged; every payload published from then on arrives.
    /// While the home is unavailable, the task waits for it. Cancelled if the channel is unsubscribed first.
    /// </returns>
    Task SubscribeAsync(BackplaneChannel channel, Action<ReadOnlyMemory<byte>> onPayload, Action<IBackplaneServer> onLoss);

    /// <summary>Ends a channel's subscription; does not wait for an unavailable server.</summary>
    Task UnsubscribeAsync(BackplaneChannel channel);
}

/// <summary>
/// A channel of one backplane. <see cref="IBackplane.Channel"/> makes it and computes its name and home, so callers that use a channel
/// repeatedly keep it.
/// </summary>
/// <param name="Name">The full name on every server, taken literally.</param>
/// <param name="Home">The server on which the channel's messages are published. It never changes while the process lives.</param>
public readonly record struct BackplaneChannel(string Name, IBackplaneServer Home)
{
    /// <summary>The room whose messages have positions and are kept; null for every other channel.</summary>
    public KeptRoom? Kept { get; init; }
}
