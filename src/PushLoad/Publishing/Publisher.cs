using PushLoad.Measurement;
using PushLoad.Messages;
using PushLoad.Verification;

namespace PushLoad.Publishing;

/// <summary>
/// Publishes this run's messages to all rooms, or to all users, in turn at one total rate. Each belongs to one lane, which keeps its order.
/// </summary>
internal sealed class Publisher : IAsyncDisposable
{
    // From the creation of the schedule to its first message.
    private const long HeadStart = Clock.Second / 20;

    // How long a publisher that is behind schedule may catch up after the end.
    private const long Grace = 10 * Clock.Second;

    private readonly List<IPublishTarget> _targets = [];
    private readonly List<PublishLane> _lanes = [];
    private readonly RoomStream[] _streams;
    private readonly long _start;

    /// <param name="newTarget">Creates a lane's target.</param>
    /// <param name="lanes">Requests in flight.</param>
    /// <param name="run">The run's number.</param>
    /// <param name="rooms">The names of the rooms or users.</param>
    /// <param name="firstNumber">The number of the first of them.</param>
    /// <param name="rate">Messages a second over all of them.</param>
    /// <param name="size">Bytes of each message.</param>
    /// <param name="burst">Messages of a room or user that are due at once.</param>
    public Publisher(
        Func<IPublishTarget> newTarget, int lanes, int run, IReadOnlyList<string> rooms, int firstNumber, double rate, int size, int burst)
    {
        _start = Clock.Now + HeadStart;
        var apart = Math.Max(1, Clock.Second / rate);
        _streams = [.. rooms.Select((_, room) => new RoomStream(run, firstNumber + room, _start + (long)(room * apart), apart * rooms.Count, size, burst))];
        foreach (var lane in Enumerable.Range(0, rooms.Count).GroupBy(room => room % lanes))
        {
            _targets.Add(newTarget());
            var streams = lane.Select(room => (rooms[room], _streams[room]));
            _lanes.Add(new PublishLane(_targets[^1], [.. streams], Math.Max(size, LoadMessage.MaxUnfilled)));
        }
    }

    public PublishTotals Totals => new(
        _lanes.Sum(lane => lane.Sent),
        _lanes.Sum(lane => lane.Unconfirmed),
        _lanes.Max(lane => lane.MaxLag),
        _lanes.SelectMany(lane => lane.Failures)
            .GroupBy(failure => failure.Key, failure => failure.Value)
            .ToDictionary(failures => failures.Key, failures => failures.Sum()))
    {
        Retries = _lanes.Sum(lane => lane.Retries),
    };

    /// <summary>Publishes for this long, or until cancelled.</summary>
    public Task RunAsync(TimeSpan duration, CancellationToken cancellation)
    {
        var end = _start + (long)duration.TotalMicroseconds;
        // Task.Run: a target that completes synchronously must not delay the other lanes.
        return Task.WhenAll(_lanes.Select(lane => Task.Run(() => lane.RunAsync(end, end + Grace, cancellation), CancellationToken.None)));
    }

    /// <summary>The messages that every member should have received. Valid only after <see cref="RunAsync"/>.</summary>
    public Expectation[] Expectations() => [.. _streams.Select(stream => stream.Expectation())];

    public async ValueTask DisposeAsync()
    {
        foreach (var target in _targets)
            await target.DisposeAsync();
    }
}

/// <summary>The publishing side of a run.</summary>
/// <param name="Messages">Messages sent to the API or Redis.</param>
/// <param name="Unconfirmed">Those that were not confirmed.</param>
/// <param name="MaxLagMicroseconds">The furthest it fell behind schedule.</param>
/// <param name="Failures">Failed requests, by reason.</param>
internal sealed record PublishTotals(long Messages, long Unconfirmed, long MaxLagMicroseconds, Dictionary<string, long> Failures)
{
    /// <summary>How often requests were repeated with the same key.</summary>
    public long Retries { get; init; }

    public static PublishTotals operator +(PublishTotals left, PublishTotals right)
    {
        var failures = new Dictionary<string, long>(left.Failures);
        Tally.Add(failures, right.Failures);
        return new PublishTotals(
            left.Messages + right.Messages, left.Unconfirmed + right.Unconfirmed, Math.Max(left.MaxLagMicroseconds, right.MaxLagMicroseconds), failures)
        {
            Retries = left.Retries + right.Retries,
        };
    }
}
