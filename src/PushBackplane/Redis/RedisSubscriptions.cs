using PushBackplane.Telemetry;

namespace PushBackplane.Redis;

/// <summary>
/// The channels that are wanted, and the link they are subscribed on. Owned by <see cref="RedisBackplane"/>, lives as long; any thread. One
/// lock covers both, and commands are sent while it is held: what a channel's state is on Redis follows the order of calls.
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

    /// <inheritdoc cref="RedisBackplane.SubscribeAsync(string, Action{ReadOnlyMemory{byte}}, Action{bool})"/>
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

    /// <inheritdoc cref="IBackplane.UnsubscribeAsync"/>
    public Task UnsubscribeAsync(string channel)
    {
        lock (_lock)
        {
            if (!_wanted.Remove(channel, out var subscription))
                return Task.CompletedTask;

            subscription.End();
            return _link is { IsClosed: false } ? _link.UnsubscribeAsync(channel) : Task.CompletedTask;
        }
    }

    /// <summary>
    /// Subscribes everything on a new link, and from now on what is asked for as it is asked for. Callers wait while the commands are queued.
    /// </summary>
    /// <returns>Completes when all that was wanted at the time of the call is acknowledged, or the link is dead.</returns>
    public Task AttachAsync(RedisLink link)
    {
        lock (_lock)
        {
            _link = link;
            return Task.WhenAll(_wanted.Select(wanted => SendLocked(wanted.Key, wanted.Value, link)).ToArray());
        }
    }

    /// <summary>Forgets the link: what is asked for from now on waits for the next one.</summary>
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

    /// <summary>Issues SUBSCRIBE.</summary>
    /// <returns>Completes when it is acknowledged, or the link is dead.</returns>
    private Task SendLocked(string channel, RedisSubscription subscription, RedisLink link)
    {
        subscription.Link = link;
        return AcknowledgeAsync(subscription, link, link.SubscribeAsync(channel, payload => subscription.Deliver(link, payload)));
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
