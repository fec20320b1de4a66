using System.Threading.Channels;
using PushBackplane;

namespace PushApi.Tests.Hosting;

/// <summary>A backplane that records what is published and, when told to hold, answers only when the test says so.</summary>
public sealed class FakeBackplane : IBackplane, IBackplaneServer
{
    private const string ControlName = "push:control";

    private readonly Channel<HeldPublish> _held = System.Threading.Channels.Channel.CreateUnbounded<HeldPublish>();
    private readonly List<Published> _published = [];
    private readonly List<IdempotencyKey?> _keys = [];
    private readonly Lock _lock = new();
    private int _placements;

    public string Description => "fake";

    public bool IsUp { get; set; } = true;

    /// <summary>Whether publishes stay in flight until the test ends them.</summary>
    public bool Holds { get; set; }

    /// <summary>What a publish answers when it is not held.</summary>
    public Func<string, Task<int?>> Answer { get; set; } = _ => Task.FromResult<int?>(1);

    public Task Away => Task.Delay(Timeout.Infinite);

    public Task Up => Task.CompletedTask;

    /// <summary>Servers other than this one, by channel.</summary>
    public Dictionary<string, FakeServer> Homes { get; } = [];

    /// <summary>The number of channels asked for so far: each computes a home.</summary>
    public int Placements => Volatile.Read(ref _placements);

    public BackplaneChannel Control => new(ControlName, this);

    public BackplaneChannel Channel(Topic topic)
    {
        Interlocked.Increment(ref _placements);
        return Named(topic.RoomId is { } room ? $"push:room:{room}" : topic.UserId is { } user ? $"push:user:{user}" : "push:all");
    }

    public BackplaneChannel Named(string channel) => new(channel, Homes.TryGetValue(channel, out var home) ? home : this);

    /// <summary>Everything published so far, in order.</summary>
    public Published[] Published
    {
        get
        {
            lock (_lock)
                return [.. _published];
        }
    }

    /// <summary>The messages published so far to one channel, in order.</summary>
    public string[] Texts(string channel) => [.. Published.Where(one => one.Channel == channel).SelectMany(one => one.Texts)];

    /// <summary>Waits for the next publish that is held.</summary>
    public async Task<HeldPublish> NextAsync() =>
        await _held.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Eventually.Patience);

    /// <summary>Whether a held publish is waiting to be taken by the test.</summary>
    public bool HasNext => _held.Reader.TryPeek(out _);

    /// <summary>What a publish with a key answers when it is not held.</summary>
    public Func<string, IdempotencyKey, OnceOutcome> AnswerOnce { get; set; } = (_, _) => OnceOutcome.First(1);

    /// <summary>The keys so far, in the order of <see cref="Published"/>; null for publishes without.</summary>
    public IdempotencyKey?[] Keys
    {
        get
        {
            lock (_lock)
                return [.. _keys];
        }
    }

    public Task<SpacedOutcome> PublishSpacedAsync(RoomId room, UserId user, TimeSpan spacing, ReadOnlyMemory<byte> payload) =>
        throw new NotSupportedException("The API has no slow mode.");

    public async Task<OnceOutcome> PublishOnceAsync(BackplaneChannel channel, ReadOnlyMemory<byte> payload, IdempotencyKey key)
    {
        var published = Record(channel, payload, key);
        if (!Holds)
            return AnswerOnce(channel.Name, key);
        var held = new HeldPublish(published);
        _held.Writer.TryWrite(held);
        return await held.Answer is { } nodes ? OnceOutcome.First(nodes) : new OnceOutcome(OnceResult.NotConfirmed);
    }

    public Task<int?> PublishAsync(BackplaneChannel channel, ReadOnlyMemory<byte> payload)
    {
        var published = Record(channel, payload, key: null);
        if (!Holds)
            return Answer(channel.Name);
        var held = new HeldPublish(published);
        _held.Writer.TryWrite(held);
        return held.Answer;
    }

    private Published Record(BackplaneChannel channel, ReadOnlyMemory<byte> payload, IdempotencyKey? key)
    {
        var published = Hosting.Published.Decode(channel.Name, payload);
        lock (_lock)
        {
            _published.Add(published);
            _keys.Add(key);
        }

        return published;
    }

    public Task SubscribeAsync(BackplaneChannel channel, Action<ReadOnlyMemory<byte>> onPayload, Action<IBackplaneServer> onLoss) => throw new NotSupportedException("The API subscribes to nothing.");

    public Task UnsubscribeAsync(BackplaneChannel channel) => throw new NotSupportedException("The API subscribes to nothing.");
}
