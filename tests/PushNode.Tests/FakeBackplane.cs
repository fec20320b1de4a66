using System.Text;
using PushBackplane;

namespace PushNode.Tests;

/// <summary>A backplane that becomes unavailable, returns and acknowledges when a test says so. Any thread.</summary>
internal sealed class FakeBackplane : IBackplane, IBackplaneServer
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, (Action<ReadOnlyMemory<byte>> OnPayload, Action<IBackplaneServer> OnLoss, TaskCompletionSource Acknowledged)> _channels = [];
    private readonly List<string> _commands = [];
    private TaskCompletionSource _away = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _up = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public FakeBackplane()
    {
        IsUp = true;
        _up.SetResult();
    }

    public string Description => "a test";

    public bool IsUp { get; private set; }

    public Task Away => _away.Task;

    public Task Up => _up.Task;

    /// <summary>Whether a SUBSCRIBE is acknowledged at once.</summary>
    public bool Acknowledges { get; set; } = true;

    /// <summary>Runs at the beginning of each SUBSCRIBE, with its channel.</summary>
    public Action<string> OnSubscribe { get; init; } = static _ => { };

    /// <summary>Every SUBSCRIBE and UNSUBSCRIBE so far.</summary>
    public string[] Commands
    {
        get
        {
            lock (_lock)
                return [.. _commands];
        }
    }

    public string[] Subscribed
    {
        get
        {
            lock (_lock)
                return [.. _channels.Keys.Order(StringComparer.Ordinal)];
        }
    }

    public void Acknowledge(string channel)
    {
        lock (_lock)
            _channels[channel].Acknowledged.TrySetResult();
    }

    /// <summary>A SUBSCRIBE ends with a bug.</summary>
    public void Fail(string channel)
    {
        lock (_lock)
            _channels[channel].Acknowledged.TrySetException(new InvalidOperationException("A bug of the test."));
    }

    /// <summary>Acknowledges whatever waits for it.</summary>
    public void AcknowledgeAll()
    {
        lock (_lock)
        {
            foreach (var (_, _, acknowledged) in _channels.Values)
                acknowledged.TrySetResult();
        }
    }

    public void GoAway()
    {
        IsUp = false;
        _up = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _away.SetResult();
    }

    public void ComeBack()
    {
        lock (_lock)
        {
            foreach (var (_, onLoss, acknowledged) in _channels.Values)
            {
                // The first acknowledgement of a channel is no return.
                if (!acknowledged.TrySetResult())
                    onLoss(this);
            }
        }

        _away = new(TaskCreationOptions.RunContinuationsAsynchronously);
        IsUp = true;
        _up.SetResult();
    }

    /// <summary>Tells one channel that payloads may be lost.</summary>
    public void Lose(string channel)
    {
        lock (_lock)
            _channels[channel].OnLoss(this);
    }

    /// <summary>Delivers a payload on this thread.</summary>
    /// <returns>Whether the channel is subscribed.</returns>
    public bool Publish(string channel, string payload) => Publish(channel, Encoding.UTF8.GetBytes(payload));

    public bool Publish(string channel, ReadOnlyMemory<byte> payload)
    {
        lock (_lock)
        {
            if (!_channels.TryGetValue(channel, out var subscription))
                return false;
            subscription.OnPayload(payload);
            return true;
        }
    }

    public BackplaneChannel Control => new("push:control", this);

    public BackplaneChannel Channel(Topic topic) => new(topic.RoomId is { } room ? $"push:room:{room}" : topic.UserId is { } user ? $"push:user:{user}" : "push:all", this);

    /// <summary>Answers publishes; null to deliver them at once.</summary>
    public Func<string, ReadOnlyMemory<byte>, Task<int?>>? OnPublish { get; set; }

    /// <summary>Answers publishes into rooms with slow mode; null to deliver them at once.</summary>
    public Func<RoomId, UserId, TimeSpan, SpacedOutcome>? OnSpaced { get; set; }

    public Task<int?> PublishAsync(BackplaneChannel channel, ReadOnlyMemory<byte> payload) =>
        OnPublish is { } answer ? answer(channel.Name, payload) : Task.FromResult<int?>(Publish(channel.Name, payload) ? 1 : 0);

    public Task<SpacedOutcome> PublishSpacedAsync(RoomId room, UserId user, TimeSpan spacing, ReadOnlyMemory<byte> payload) => Task.FromResult(
        OnSpaced is { } answer ? answer(room, user, spacing) : SpacedOutcome.Published(Publish($"push:room:{room}", payload) ? 1 : 0));

    public Task<OnceOutcome> PublishOnceAsync(BackplaneChannel channel, ReadOnlyMemory<byte> payload, IdempotencyKey key) => throw new NotSupportedException("A node publishes nothing with a key.");

    public Task SubscribeAsync(BackplaneChannel channel, Action<ReadOnlyMemory<byte>> onPayload, Action<IBackplaneServer> onLoss)
    {
        OnSubscribe(channel.Name);
        lock (_lock)
        {
            _commands.Add($"SUBSCRIBE {channel.Name}");
            var acknowledged = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            // Twice would mean that somebody lost count.
            _channels.Add(channel.Name, (onPayload, onLoss, acknowledged));
            if (Acknowledges && IsUp)
                acknowledged.SetResult();
            return acknowledged.Task;
        }
    }

    public Task UnsubscribeAsync(BackplaneChannel channel)
    {
        lock (_lock)
        {
            _commands.Add($"UNSUBSCRIBE {channel.Name}");
            Assert.True(_channels.Remove(channel.Name, out var subscription), $"{channel.Name} is not subscribed");
            subscription.Acknowledged.TrySetCanceled();
            return Task.CompletedTask;
        }
    }
}
