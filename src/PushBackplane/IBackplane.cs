namespace PushBackplane;

/// <summary>
/// Carries messages from publishers to nodes: literal channels, at most once, in order per channel and server. There are two implementations:
/// Redis, on one or several servers, and memory inside one process. One instance per process; any thread may call every member.
/// </summary>
public interface IBackplane
{
    /// <summary>What is in use and where, for the start-up log: "Redis at localhost:6379" or "memory". Never holds a password.</summary>
    string Description { get; }

    /// <summary>The channel that carries commands to nodes.</summary>
    BackplaneChannel Control { get; }

    /// <summary>The channel that carries a topic's messages.</summary>
    BackplaneChannel Channel(Topic topic);

    /// <summary>Publishes one payload on the channel's home.</summary>
    /// <returns>
    /// The number of subscribers that the payload reached (nodes, not viewers), or null when the home is unavailable or did not confirm in
    /// time: then the payload may or may not have been delivered.
    /// </returns>
    Task<int?> PublishAsync(BackplaneChannel channel, ReadOnlyMemory<byte> payload);

    /// <summary>
    /// Subscribes to one channel, by its literal name (a <c>*</c> is no pattern), on every server, until <see cref="UnsubscribeAsync"/>,
    /// through all outages. Calls for one channel take effect in the order in which they are made, even when not awaited.
    /// </summary>
    /// <param name="channel">One of this backplane's channels.</param>
    /// <param name="onPayload">
    /// Called with each payload, one call at a time per server, in the order in which that server received them; the memory is never
    /// reused. It runs on the backplane's thread and must only enqueue: Redis disconnects a slow subscriber.
    /// </param>
    /// <param name="onLoss">
    /// Called once for each outage of a server, after every payload from before it: the payloads published there meanwhile are lost, and
    /// every payload that comes from there afterwards was published later. Never called for losses before the subscription was
    /// acknowledged. It must only enqueue.
    /// </param>
    /// <returns>
    /// Completes when every payload published from then on arrives: the channel's home has acknowledged, and so has every other server that is
    /// available. While the home is unavailable, the task waits for it. Cancelled if the channel is unsubscribed first.
    /// </returns>
    Task SubscribeAsync(BackplaneChannel channel, Action<ReadOnlyMemory<byte>> onPayload, Action onLoss);

    /// <summary>Ends a channel's subscription; does not wait for an unavailable server.</summary>
    Task UnsubscribeAsync(BackplaneChannel channel);
}

/// <summary>
/// A channel of one backplane, made by <see cref="IBackplane.Channel"/>, which computes name and home. Callers that use a channel again
/// keep it.
/// </summary>
/// <param name="Name">The full name on every server, taken literally.</param>
/// <param name="Home">The server on which the channel's messages are published. It never changes while the process lives.</param>
public readonly record struct BackplaneChannel(string Name, IBackplaneServer Home);
