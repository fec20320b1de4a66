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
    private readonly RoomPolicies _policies;
    private readonly SubscriberFailures _failures;

    public MemoryBackplane(PushChannels channels, RoomPolicies policies, BackplaneMetrics metrics, TimeProvider time, ILogger<MemoryBackplane> logger)
    {
        var own = metrics.Add(Description);
        own.WentUp();
        Histories = own.Histories;
        Answers = new FirstAnswers(time);
        Sends = new LastSends(time);
        _channels = channels;
        _policies = policies;
        _failures = new SubscriberFailures(logger, time);
    }

    /// <summary>Counts appends and readings.</summary>
    public HistoryCounts Histories { get; }

    /// <summary>The keys of requests, with and without history.</summary>
    public FirstAnswers Answers { get; }

    /// <summary>Who has sent into which room with slow mode.</summary>
    public LastSends Sends { get; }

    public string Description => "memory";

    public bool IsUp => true;

    public Task Away { get; } = new TaskCompletionSource().Task;

    public Task Up => Task.CompletedTask;

    public BackplaneChannel Control => new(_channels.Control, this);

    public BackplaneChannel Channel(Topic topic) => new(_channels.Of(topic), this) { Kept = _policies.Kept(topic) };

    public Task<int?> PublishAsync(BackplaneChannel channel, ReadOnlyMemory<byte> payload) => Publish(channel.Name, payload.ToArray()) == 0 ? None : One;

    public Task<OnceOutcome> PublishOnceAsync(BackplaneChannel channel, ReadOnlyMemory<byte> payload, IdempotencyKey key) =>
        Task.FromResult(Answers.PublishOnce(channel.Name, key, () => Publish(channel.Name, payload.ToArray())));

    public Task<SpacedOutcome> PublishSpacedAsync(RoomId room, UserId user, TimeSpan spacing, ReadOnlyMemory<byte> payload) =>
        Task.FromResult(Sends.PublishSpaced(room, user, spacing, () => Publish(_channels.Of(Topic.Room(room)), payload.ToArray())));

    public Task SubscribeAsync(BackplaneChannel channel, Action<ReadOnlyMemory<byte>> onPayload, Action<IBackplaneServer> onLoss)
    {
        _subscribers[channel.Name] = new Subscriber(channel.Name, onPayload, _failures);
        return Task.CompletedTask;
    }

    public Task UnsubscribeAsync(BackplaneChannel channel)
    {
        _subscribers.TryRemove(channel.Name, out _);
        return Task.CompletedTask;
    }

    /// <summary>Delivers a payload.</summary>
    /// <param name="channel">The channel's name.</param>
    /// <param name="payload">Subscribers keep it: a publisher's buffer has to be copied.</param>
    /// <returns>The number of subscribers.</returns>
    public int Publish(string channel, byte[] payload)
    {
        if (!_subscribers.TryGetValue(channel, out var subscriber))
            return 0;
        subscriber.Deliver(payload);
        return 1;
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
