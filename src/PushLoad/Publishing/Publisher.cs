using PushLoad.Measurement;
using PushLoad.Processes;

namespace PushLoad.Publishing;

/// <summary>Publishes this run's messages: all rooms in turn at one total rate, over a few lanes. Each room belongs to one lane, which keeps its order.</summary>
internal sealed class Publisher : IAsyncDisposable
{
    // Between the schedule's making and its first message.
    private const long HeadStart = Clock.Second / 20;

    // How far the publishing may run over its time to send what was due in it.
    private const long Grace = 10 * Clock.Second;

    private readonly List<IPublishTarget> _targets = [];
    private readonly List<PublishLane> _lanes = [];
    private readonly RoomStream[] _streams;
    private readonly long _start;

    /// <param name="newTarget">Makes a lane's target.</param>
    /// <param name="lanes">How many requests may be under way at once.</param>
    /// <param name="run">The run's number.</param>
    /// <param name="rooms">The rooms' names.</param>
    /// <param name="rate">Messages a second, all rooms together.</param>
    /// <param name="size">Bytes of each message.</param>
    public Publisher(Func<IPublishTarget> newTarget, int lanes, int run, IReadOnlyList<string> rooms, double rate, int size)
    {
        _start = Clock.Now + HeadStart;
        var apart = Math.Max(1, Clock.Second / rate);
        _streams = [.. rooms.Select((_, room) => new RoomStream(run, room, _start + (long)(room * apart), apart * rooms.Count, size))];
        foreach (var lane in Enumerable.Range(0, rooms.Count).GroupBy(room => room % lanes))
        {
            _targets.Add(newTarget());
            _lanes.Add(new PublishLane(_targets[^1], [.. lane.Select(room => (rooms[room], _streams[room]))], Math.Max(size, Messages.LoadMessage.MaxUnfilled)));
        }
    }

    public PublishTotals Totals => new(
        _lanes.Sum(lane => lane.Sent),
        _lanes.Sum(lane => lane.Unconfirmed),
        _lanes.Max(lane => lane.MaxLag),
        _lanes.SelectMany(lane => lane.Failures).GroupBy(failure => failure.Key, failure => failure.Value).ToDictionary(failures => failures.Key, failures => failures.Sum()));

    /// <summary>Publishes for so long, or until cancelled.</summary>
    public Task RunAsync(TimeSpan duration, CancellationToken cancellation)
    {
        var end = _start + (long)duration.TotalMicroseconds;
        // Each lane on a thread of its own choosing: a target that completes at once must not keep the others from starting.
        return Task.WhenAll(_lanes.Select(lane => Task.Run(() => lane.RunAsync(end, end + Grace, cancellation), CancellationToken.None)));
    }

    /// <summary>What every member should have got. Only after <see cref="RunAsync"/>.</summary>
    public Expectation[] Expectations() => [.. _streams.Select(stream => stream.Expectation())];

    public async ValueTask DisposeAsync()
    {
        foreach (var target in _targets)
            await target.DisposeAsync();
    }
}
