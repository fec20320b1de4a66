namespace RedisPush.Client.Rooms;

/// <summary>
/// The subscriptions of what comes to a connection without a JOIN: the broadcasts, or the messages to the user. Guarded by the table's lock.
/// </summary>
internal sealed class Listeners
{
    private readonly List<PushSubscription> _subscriptions = [];

    /// <param name="subscription">The new one.</param>
    /// <param name="connected">Whether there is a connection: then it hears what comes from now on.</param>
    public void Add(PushSubscription subscription, bool connected)
    {
        _subscriptions.Add(subscription);
        subscription.Hears = connected;
    }

    public void Remove(PushSubscription subscription) => _subscriptions.Remove(subscription);

    /// <summary>A connection is open: what came since the last one is missing.</summary>
    public void Opened()
    {
        foreach (var subscription in _subscriptions)
        {
            if (subscription.Hears)
                subscription.Events.Add(new PushGap(null, GapReason.Reconnected));
            subscription.Hears = true;
        }
    }

    public void Take(ReadOnlySpan<PushEvent> events)
    {
        foreach (var subscription in _subscriptions)
        {
            foreach (var next in events)
                subscription.Events.Add(next);
        }
    }

    /// <summary>Nothing more comes.</summary>
    /// <param name="failure">What the readers get; null for a plain end.</param>
    public void Complete(Exception? failure)
    {
        foreach (var subscription in _subscriptions)
            subscription.Events.Complete(failure);
        _subscriptions.Clear();
    }
}
