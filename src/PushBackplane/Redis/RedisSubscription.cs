using Microsoft.Extensions.Logging;

namespace PushBackplane.Redis;

/// <summary>
/// One channel somebody wants, from subscribe to unsubscribe, through any number of links. <see cref="Link"/> belongs to the lock of
/// <see cref="RedisSubscriptions"/>; payloads arrive on the link's callback thread.
/// </summary>
internal sealed class RedisSubscription(string channel, Action<ReadOnlyMemory<byte>> onPayload, ILogger logger)
{
    private readonly TaskCompletionSource _acknowledged = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // The last callback of a dead link may still run when the first of the next one comes: the lock keeps them from overlapping.
    private readonly Lock _order = new();
    private Action<ReadOnlyMemory<byte>> _onPayload = onPayload;
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

    public void Replace(Action<ReadOnlyMemory<byte>> onPayload) => Volatile.Write(ref _onPayload, onPayload);

    public void Deliver(RedisLink link, byte[] payload)
    {
        lock (_order)
        {
            if (_ended || link.IsClosed)
                return;

            try
            {
                Volatile.Read(ref _onPayload)(payload);
            }
            catch (Exception e)
            {
                // A bug of the subscriber's. StackExchange.Redis would swallow it without a word.
                Log.SubscriberThrew(logger, e, channel);
                throw;
            }
        }
    }
}
