using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using PushBackplane.Telemetry;

namespace PushBackplane.Memory;

/// <summary>
/// The backplane inside one process: never unavailable. Lives as long as the host; any thread. It delivers a payload on the publisher's
/// thread, under the channel's own lock, which keeps the channel's order with several publishers. It has no queue.
/// </summary>
internal sealed class MemoryBackplane : IBackplane, IBackplaneServer
{
    private static readonly Task<int?> None = Task.FromResult<int?>(0);
    private static readonly Task<int?> One = Task.FromResult<int?>(1);

    private readonly ConcurrentDictionary<string, Subscriber> _subscribers = new(StringComparer.Ordinal);
    private readonly PushChannels _channels;
    private readonly SubscriberFailures _failures;

    public MemoryBackplane(PushChannels channels, BackplaneMetrics metrics, TimeProvider time, ILogger<MemoryBackplane> logger)
    {
        metrics.Add(Description).WentUp();
        _channels = channels;
        _failures = new SubscriberFailures(logger, time);
    }

    public string Description => "memory";

    public bool IsUp => true;

    public Task Away { get; } = new TaskCompletionSource().Task;

    public Task Up => Task.CompletedTask;

    public BackplaneChannel Control => new(_channels.Control, this);

    public BackplaneChannel Channel(Topic topic) => new(_channels.Of(topic), this);

    public Task<int?> PublishAsync(BackplaneChannel channel, ReadOnlyMemory<byte> payload)
    {
        if (!_subscribers.TryGetValue(channel.Name, out var subscriber))
            return None;

        // Copied, because the publisher may reuse its buffer while subscribers keep the payload.
        subscriber.Deliver(payload.ToArray());
        return One;
    }

    public Task SubscribeAsync(BackplaneChannel channel, Action<ReadOnlyMemory<byte>> onPayload, Action onLoss)
    {
        _subscribers[channel.Name] = new Subscriber(channel.Name, onPayload, _failures);
        return Task.CompletedTask;
    }

    public Task UnsubscribeAsync(BackplaneChannel channel)
    {
        _subscribers.TryRemove(channel.Name, out _);
        return Task.CompletedTask;
    }

    private sealed class Subscriber(string channel, Action<ReadOnlyMemory<byte>> onPayload, SubscriberFailures failures)
    {
        private readonly Lock _order = new();

        public void Deliver(byte[] payload)
        {
            lock (_order)
            {
                try
                {
                    onPayload(payload);
                }
                catch (Exception e)
                {
                    // A bug in the subscriber, which must not affect the publisher.
                    failures.Report(e, channel);
                }
            }
        }
    }
}
