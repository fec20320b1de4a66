namespace PushBackplane;

/// <summary>
/// The bus between publishers and nodes: literal channels, at most once, in order per channel. Two bodies: Redis, and memory
/// inside one process. One instance per process; every member may be called from any thread.
/// </summary>
public interface IBackplane
{
    /// <summary>What is in use and where, for the start-up log: "Redis at localhost:6379" or "memory". Never holds a password.</summary>
    string Description { get; }

    /// <summary>
    /// Whether messages flow: connected, every subscribed channel acknowledged, and the own canary back in time.
    /// </summary>
    bool IsUp { get; }

    /// <summary>Completes when the backplane goes away; complete while it is away. A new task for each time it is up.</summary>
    Task Away { get; }

    /// <summary>Completes when the backplane is up; complete while it is. A new task for each outage.</summary>
    Task Up { get; }

    /// <summary>
    /// Raised after an outage, when the channels are about to be subscribed again: what was published meanwhile is lost, and every payload that
    /// comes after it was published later. Never raised for the first connection; raised again when the new connection does not last. Handlers must only enqueue.
    /// </summary>
    event Action? Resuming;

    /// <summary>Publishes one payload.</summary>
    /// <returns>
    /// How many subscribers the payload reached (nodes, not viewers), or null when the backplane did not confirm in
    /// time or is away: then the payload may or may not have been delivered.
    /// </returns>
    Task<int?> PublishAsync(string channel, ReadOnlyMemory<byte> payload);

    /// <summary>
    /// Subscribes to one channel, taken literally (a <c>*</c> is no pattern), until <see cref="UnsubscribeAsync"/>, through all
    /// outages. Calls for one channel take effect in the order in which they are made, also when not awaited.
    /// </summary>
    /// <param name="channel">The channel's full name.</param>
    /// <param name="onPayload">
    /// Called with each payload, one call at a time per channel, in publish order; the memory is never reused. It runs on the
    /// backplane's thread and must only enqueue: a slow subscriber is cut off by Redis.
    /// </param>
    /// <returns>
    /// Completes when the backplane has acknowledged: what is published from then on arrives. While the backplane
    /// is away that is after it came back. Cancelled if the channel is unsubscribed first.
    /// </returns>
    Task SubscribeAsync(string channel, Action<ReadOnlyMemory<byte>> onPayload);

    /// <summary>Ends a channel's subscription; completes at once while the backplane is away.</summary>
    Task UnsubscribeAsync(string channel);
}
