namespace PushBackplane;

/// <summary>
/// The bus between publishers and nodes: literal channels, at most once, in order per channel and server. Two bodies: Redis, on one server or
/// spread over several, and memory inside one process. One instance per process; every member may be called from any thread.
/// </summary>
public interface IBackplane
{
    /// <summary>What is in use and where, for the start-up log: "Redis at localhost:6379" or "memory". Never holds a password.</summary>
    string Description { get; }

    /// <summary>The server on which a channel's messages are published; always the same one for as long as the process lives.</summary>
    IBackplaneServer Home(string channel);

    /// <summary>Publishes one payload.</summary>
    /// <returns>
    /// How many subscribers the payload reached (nodes, not viewers), or null when the channel's home did not confirm in
    /// time or is away: then the payload may or may not have been delivered.
    /// </returns>
    Task<int?> PublishAsync(string channel, ReadOnlyMemory<byte> payload);

    /// <summary>
    /// Subscribes to one channel, taken literally (a <c>*</c> is no pattern), on every server, until <see cref="UnsubscribeAsync"/>, through all
    /// outages. Calls for one channel take effect in the order in which they are made, also when not awaited.
    /// </summary>
    /// <param name="channel">The channel's full name.</param>
    /// <param name="onPayload">
    /// Called with each payload, one call at a time per server, in the order in which that server was given them; the memory is never reused. It runs on
    /// the backplane's thread and must only enqueue: a slow subscriber is cut off by Redis.
    /// </param>
    /// <param name="onLoss">
    /// Called once for each time that a server was away, behind every payload from before: what was published there meanwhile is lost, and every payload that
    /// comes from there afterwards was published later. Never called for what was lost before the subscription was acknowledged. It must only enqueue.
    /// </param>
    /// <returns>
    /// Completes when what is published from then on arrives: the channel's home has acknowledged, and so has every other server that is not away. While the
    /// home is away that is after it came back. Cancelled if the channel is unsubscribed first.
    /// </returns>
    Task SubscribeAsync(string channel, Action<ReadOnlyMemory<byte>> onPayload, Action onLoss);

    /// <summary>Ends a channel's subscription; does not wait for a server that is away.</summary>
    Task UnsubscribeAsync(string channel);
}
