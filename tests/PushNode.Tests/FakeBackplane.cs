using System.Text;
using PushBackplane;

namespace PushNode.Tests;

/// <summary>A backplane that goes away, comes back and acknowledges when a test says so. Any thread.</summary>
internal sealed class FakeBackplane : IBackplane
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, (Action<ReadOnlyMemory<byte>> OnPayload, TaskCompletionSource Acknowledged)> _channels = [];
    private readonly List<string> _commands = [];
    private TaskCompletionSource _away = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _up = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public FakeBackplane()
    {
        IsUp = true;
        _up.SetResult();
    }

    public event Action? Resuming;

    public string Description => "a test";

    public bool IsUp { get; private set; }

    public Task Away => _away.Task;

    public Task Up => _up.Task;

    /// <summary>Whether a SUBSCRIBE is acknowledged at once.</summary>
    public bool Acknowledges { get; set; } = true;

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

    /// <summary>Acknowledges whatever waits for it.</summary>
    public void AcknowledgeAll()
    {
        lock (_lock)
        {
            foreach (var (_, acknowledged) in _channels.Values)
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
        AcknowledgeAll();
        Resuming?.Invoke();
        _away = new(TaskCreationOptions.RunContinuationsAsynchronously);
        IsUp = true;
        _up.SetResult();
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

    public Task<int?> PublishAsync(string channel, ReadOnlyMemory<byte> payload) => Task.FromResult<int?>(Publish(channel, payload) ? 1 : 0);

    public Task SubscribeAsync(string channel, Action<ReadOnlyMemory<byte>> onPayload)
    {
        lock (_lock)
        {
            _commands.Add($"SUBSCRIBE {channel}");
            var acknowledged = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            // Twice would mean that somebody lost count.
            _channels.Add(channel, (onPayload, acknowledged));
            if (Acknowledges && IsUp)
                acknowledged.SetResult();
            return acknowledged.Task;
        }
    }

    public Task UnsubscribeAsync(string channel)
    {
        lock (_lock)
        {
            _commands.Add($"UNSUBSCRIBE {channel}");
            Assert.True(_channels.Remove(channel, out var subscription), $"{channel} is not subscribed");
            subscription.Acknowledged.TrySetCanceled();
            return Task.CompletedTask;
        }
    }
}
