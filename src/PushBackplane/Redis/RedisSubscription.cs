using PushBackplane.Telemetry;

namespace PushBackplane.Redis;

/// <summary>
/// The subscription of one channel, from subscribe to unsubscribe, over any number of links. The lock of <see cref="RedisSubscriptions"/>
/// guards <see cref="Link"/>; payloads arrive on the link's subscriber thread.
/// </summary>
/// <param name="channel">The channel's full name.</param>
/// <param name="onPayload">Takes each payload.</param>
/// <param name="onBegin">Called when a link begins to deliver, before its first payload; true for the first link.</param>
/// <param name="failures">Reports exceptions of the callbacks.</param>
internal sealed class RedisSubscription(string channel, Action<ReadOnlyMemory<byte>> onPayload, Action<bool> onBegin, SubscriberFailures failures)
{
    private readonly TaskCompletionSource _acknowledged = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Keeps the last callback of a closed link from overlapping the first of the next one.
    private readonly Lock _order = new();
    private Action<ReadOnlyMemory<byte>> _onPayload = onPayload;
    private Action<bool> _onBegin = onBegin;
    private RedisLink? _begun;
    private volatile bool _ended;

    /// <summary>The link on which the last SUBSCRIBE was sent.</summary>
    public RedisLink? Link { get; set; }

    /// <summary>Completes at the first acknowledgement. Cancelled if the subscription ends first.</summary>
    public Task Acknowledged => _acknowledged.Task;

    public void Acknowledge() => _acknowledged.TrySetResult();

    public void End()
    {
        _ended = true;
        _acknowledged.TrySetCanceled();
    }

    public void Replace(Action<ReadOnlyMemory<byte>> onPayload, Action<bool> onBegin)
    {
        Volatile.Write(ref _onPayload, onPayload);
        Volatile.Write(ref _onBegin, onBegin);
    }

    /// <summary>
    /// Called when a link has acknowledged. Its first payload may arrive before this call, which comes on a different thread.
    /// </summary>
    public void Begin(RedisLink link)
    {
        lock (_order)
        {
            if (!_ended && !link.IsClosed)
                BeginLocked(link);
        }
    }

    public void Deliver(RedisLink link, byte[] payload)
    {
        lock (_order)
        {
            if (_ended || link.IsClosed)
                return;

            BeginLocked(link);
            try
            {
                Volatile.Read(ref _onPayload)(payload);
            }
            catch (Exception e)
            {
                // A bug in the subscriber, which must not cost other subscribers their messages.
                failures.Report(e, channel);
            }
        }
    }

    private void BeginLocked(RedisLink link)
    {
        if (_begun == link)
            return;
        var isFirst = _begun is null;
        _begun = link;
        try
        {
            Volatile.Read(ref _onBegin)(isFirst);
        }
        catch (Exception e)
        {
            // A bug in the subscriber, which must not leave the channel unacknowledged: that would end the link and the loop that makes
            // links.
            failures.Report(e, channel);
        }
    }
}
