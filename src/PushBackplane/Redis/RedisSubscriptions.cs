using PushBackplane.Telemetry;

namespace PushBackplane.Redis;

/// <summary>
/// The wanted channels and the link on which they are subscribed. Owned by a <see cref="RedisServer"/> and lives as long; any thread. One
/// lock guards both, and commands are sent under it, so that a channel's state on Redis follows the order of calls.
/// </summary>
internal sealed class RedisSubscriptions(SubscriberFailures failures)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, RedisSubscription> _wanted = new(StringComparer.Ordinal);
    private RedisLink? _link;

    public int Count
    {
        get
        {
            lock (_lock)
                return _wanted.Count;
        }
    }

    /// <summary>
    /// Subscribes to one channel until <see cref="UnsubscribeAsync"/>, through all outages. Calls for one channel take effect in their
    /// order.
    /// </summary>
    /// <param name="channel">The channel's full name, taken literally.</param>
    /// <param name="onPayload">As in <see cref="IBackplane.SubscribeAsync"/>.</param>
    /// <param name="onBegin">
    /// Called each time that payloads begin to arrive, before the first of them and before the returned task completes: with true the first
    /// time, with false after an outage.
    /// </param>
    /// <returns>Completes at the first acknowledgement. Cancelled if the channel is unsubscribed first.</returns>
    public Task SubscribeAsync(string channel, Action<ReadOnlyMemory<byte>> onPayload, Action<bool> onBegin)
    {
        lock (_lock)
        {
            if (_wanted.TryGetValue(channel, out var subscription))
            {
                subscription.Replace(onPayload, onBegin);
            }
            else
            {
                subscription = new RedisSubscription(channel, onPayload, onBegin, failures);
                _wanted.Add(channel, subscription);
                if (_link is { IsClosed: false })
                    _ = SendLocked(channel, subscription, _link);
            }

            return subscription.Acknowledged;
        }
    }

    /// <summary>Ends a channel's subscription; does not wait for an unavailable server.</summary>
    public Task UnsubscribeAsync(string channel)
    {
        lock (_lock)
        {
            if (!_wanted.Remove(channel, out var subscription))
                return Task.CompletedTask;

            subscription.End();
            return _link is { IsClosed: false } ? _link.Subscriber.UnsubscribeAsync(channel) : Task.CompletedTask;
        }
    }

    /// <summary>
    /// Subscribes every wanted channel on a new link, and later ones as they are wanted. Callers wait while the commands are queued.
    /// </summary>
    /// <returns>Completes when the channels wanted at the time of the call are acknowledged, or the link is closed.</returns>
    public Task AttachAsync(RedisLink link)
    {
        lock (_lock)
        {
            _link = link;
            return Task.WhenAll(_wanted.Select(wanted => SendLocked(wanted.Key, wanted.Value, link)).ToArray());
        }
    }

    /// <summary>Forgets the link: channels wanted from now on wait for the next one.</summary>
    public void Detach()
    {
        lock (_lock)
            _link = null;
    }

    /// <summary>Ends all subscriptions, at shutdown.</summary>
    public void End()
    {
        lock (_lock)
        {
            foreach (var subscription in _wanted.Values)
                subscription.End();
            _wanted.Clear();
        }
    }

    /// <summary>Sends SUBSCRIBE.</summary>
    /// <returns>Completes when Redis has acknowledged, or the link is closed.</returns>
    private Task SendLocked(string channel, RedisSubscription subscription, RedisLink link)
    {
        subscription.Link = link;
        return AcknowledgeAsync(subscription, link, link.Subscriber.SubscribeAsync(channel, payload => subscription.Deliver(link, payload)));
    }

    private async Task AcknowledgeAsync(RedisSubscription subscription, RedisLink link, Task<bool> answer)
    {
        if (!await answer)
            return;

        subscription.Begin(link);
        lock (_lock)
        {
            if (subscription.Link == link && !link.IsClosed)
                subscription.Acknowledge();
        }
    }
}
