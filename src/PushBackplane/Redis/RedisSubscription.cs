using PushBackplane.Telemetry;

namespace PushBackplane.Redis;

/// <summary>
/// One channel somebody wants, from subscribe to unsubscribe, through any number of links. <see cref="Link"/> belongs to the lock of
/// <see cref="RedisSubscriptions"/>; payloads arrive on the link's subscriber thread.
/// </summary>
/// <param name="channel">The channel's full name.</param>
/// <param name="onPayload">Takes each payload.</param>
/// <param name="onBegin">Called when a link begins to deliver, before its first payload; true for the first link.</param>
/// <param name="failures">Reports exceptions of the callbacks.</param>
internal sealed class RedisSubscription(string channel, Action<ReadOnlyMemory<byte>> onPayload, Action<bool> onBegin, SubscriberFailures failures)
{
    private readonly TaskCompletionSource _acknowledged = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // The last callback of a dead link may still run when the first of the next one comes: the lock keeps them from overlapping.
    private readonly Lock _order = new();
    private Action<ReadOnlyMemory<byte>> _onPayload = onPayload;
    private Action<bool> _onBegin = onBegin;
    private RedisLink? _begun;
    private volatile bool _ended;

    /// <summary>The link on which SUBSCRIBE was sent last.</summary>
    public RedisLink? Link { get; set; }

    /// <summary>Completes at the first acknowledgement, cancelled if the subscription ends before it.</summary>
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

    /// <summary>The link has acknowledged. Its first payload may have been faster, since the two come on different threads.</summary>
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
                // The subscriber's bug must not cost other subscribers their messages.
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
            // Nor may it leave the channel unacknowledged, which would end the link and the loop that makes links.
            failures.Report(e, channel);
        }
    }
}
