using System.Collections.Frozen;
using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using PushApi.Problems;

namespace PushApi.Telemetry;

/// <summary>
/// The API's metrics. Called from request threads. The counters are plain numbers that the exporter reads, so that every series exists from
/// the start at 0. No room is ever a label; the name of a key is one, because settings bound their number.
/// </summary>
internal sealed class PushApiMetrics
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "RedisPush.Api";

    private readonly FrozenDictionary<ProblemType, StrongBox<long>> _rejected =
        ProblemType.All.ToFrozenDictionary(kind => kind, _ => new StrongBox<long>());

    private readonly FrozenDictionary<KeyFault, StrongBox<long>> _unauthorized =
        Enum.GetValues<KeyFault>().ToFrozenDictionary(fault => fault, _ => new StrongBox<long>());

    private readonly Histogram<double> _publishDuration;
    private IReadOnlyList<KeyUse> _keys = [];
    private long _roomMessages;
    private long _userMessages;
    private long _broadcastMessages;
    private long _first;
    private long _completed;
    private long _replayed;
    private long _pages;
    private long _recoveredPages;
    private long _lostPages;
    private long _historyMessages;
    private long _deletions;

    public PushApiMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        meter.CreateObservableCounter("push.api.messages", ObserveMessages, unit: null, "Messages published and confirmed, counted once per room.");
        meter.CreateObservableCounter("push.api.rejected", ObserveRejected, unit: null, "Requests refused, by reason.");
        meter.CreateObservableCounter(
            "push.api.idempotent", ObserveIdempotent, unit: null, "Requests with an Idempotency-Key that were answered with 202, by result.");
        meter.CreateObservableCounter(
            "push.api.unauthorized", ObserveUnauthorized, unit: null, "Requests refused for want of a valid key, by what was wrong.");
        meter.CreateObservableCounter(
            "push.api.key.requests", () => OfKeys(key => key.Requests), unit: null, "Requests with a valid key, by its name.");
        meter.CreateObservableCounter(
            "push.api.key.messages", () => OfKeys(key => key.Messages), unit: null, "What counts against the rate of a key, by its name.");
        meter.CreateObservableCounter(
            "push.api.key.refused", ObserveRefusals, unit: null, "Requests refused because of what their key may do, by its name and reason.");
        meter.CreateObservableGauge(
            "push.api.key.rate", () => OfKeys(key => key.Rate), unit: null, "Messages a second that a key may publish; 0 for any number.");
        meter.CreateObservableGauge(
            "push.api.key.last_use", () => OfKeys(key => key.LastUse), unit: "s", "When a key was last used, as Unix time; 0 for never.");
        meter.CreateObservableCounter(
            "push.api.history.pages", ObservePages, unit: null, "Pages of rooms' messages that were read, by whether the position asked for was recovered.");
        meter.CreateObservableCounter(
            "push.api.history.messages", () => Interlocked.Read(ref _historyMessages), unit: null, "Messages in pages that were read.");
        meter.CreateObservableCounter(
            "push.api.history.deletions", () => Interlocked.Read(ref _deletions), unit: null, "Times that a room's messages were deleted.");
        _publishDuration = meter.CreateHistogram(
            "push.api.publish.duration",
            unit: "s",
            "From a request's acceptance to the backplane's confirmation, or to its deadline.",
            tags: null,
            new InstrumentAdvice<double>
            {
                // From a PUBLISH over loopback to the 2 s within which every request is answered.
                HistogramBucketBoundaries = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 2],
            });
    }

    /// <summary>Messages published and confirmed, counted once per room.</summary>
    public long Published => Interlocked.Read(ref _roomMessages) + Interlocked.Read(ref _broadcastMessages);

    /// <summary>Requests that the backplane did not publish or confirm.</summary>
    public long Failed => Interlocked.Read(ref _rejected[ProblemType.BackplaneAway].Value) + Interlocked.Read(ref _rejected[ProblemType.NotConfirmed].Value);

    /// <summary>Messages were published to one room or several.</summary>
    /// <param name="messages">Messages times rooms.</param>
    public void PublishedToRooms(long messages) => Interlocked.Add(ref _roomMessages, messages);

    /// <summary>Messages were published to everybody.</summary>
    public void PublishedToAll(long messages) => Interlocked.Add(ref _broadcastMessages, messages);

    /// <summary>Messages were published to a user.</summary>
    public void PublishedToUser(long messages) => Interlocked.Add(ref _userMessages, messages);

    /// <summary>A request with an idempotency key was published, now or before.</summary>
    /// <param name="fresh">To how many of its channels now.</param>
    /// <param name="channels">The number of its channels.</param>
    public void PublishedWithKey(int fresh, int channels) =>
        Interlocked.Increment(ref fresh == channels ? ref _first : ref fresh > 0 ? ref _completed : ref _replayed);

    /// <summary>A page of a room's messages was read.</summary>
    /// <param name="messages">Its messages.</param>
    /// <param name="isRecovered">Whether nothing is missing after the position asked for; null if none was.</param>
    public void HistoryRead(int messages, bool? isRecovered)
    {
        Interlocked.Increment(ref isRecovered is null ? ref _pages : ref isRecovered.Value ? ref _recoveredPages : ref _lostPages);
        Interlocked.Add(ref _historyMessages, messages);
    }

    /// <summary>A room's messages were deleted.</summary>
    public void HistoryDeleted() => Interlocked.Increment(ref _deletions);

    /// <summary>A request was refused.</summary>
    public void Rejected(ProblemType kind) => Interlocked.Increment(ref _rejected[kind].Value);

    /// <summary>Sets the keys, before the first request.</summary>
    public void Show(IReadOnlyList<KeyUse> keys) => _keys = keys;

    /// <summary>A request had no valid key.</summary>
    public void Unauthorized(KeyFault fault) => Interlocked.Increment(ref _unauthorized[fault].Value);

    /// <summary>The backplane confirmed a request's messages, or did not in time.</summary>
    public void PublishEnd(TimeSpan duration) => _publishDuration.Record(duration.TotalSeconds);

    private IEnumerable<Measurement<long>> ObserveMessages() =>
    [
        new(Interlocked.Read(ref _roomMessages), new KeyValuePair<string, object?>("target", "room")),
        new(Interlocked.Read(ref _userMessages), new KeyValuePair<string, object?>("target", "user")),
        new(Interlocked.Read(ref _broadcastMessages), new KeyValuePair<string, object?>("target", "broadcast")),
    ];

    private IEnumerable<Measurement<long>> ObserveIdempotent() =>
    [
        new(Interlocked.Read(ref _first), new KeyValuePair<string, object?>("result", "first")),
        new(Interlocked.Read(ref _completed), new KeyValuePair<string, object?>("result", "completed")),
        new(Interlocked.Read(ref _replayed), new KeyValuePair<string, object?>("result", "replayed")),
    ];

    private IEnumerable<Measurement<long>> ObservePages() =>
    [
        new(Interlocked.Read(ref _recoveredPages), new KeyValuePair<string, object?>("recovered", "yes")),
        new(Interlocked.Read(ref _lostPages), new KeyValuePair<string, object?>("recovered", "no")),
        new(Interlocked.Read(ref _pages), new KeyValuePair<string, object?>("recovered", "not_asked")),
    ];

    private IEnumerable<Measurement<long>> ObserveRejected() => _rejected.Select(entry =>
        new Measurement<long>(Interlocked.Read(ref entry.Value.Value), new KeyValuePair<string, object?>("reason", entry.Key.Reason)));

    private IEnumerable<Measurement<long>> ObserveUnauthorized() => _unauthorized.Select(entry => new Measurement<long>(
        Interlocked.Read(ref entry.Value.Value), new KeyValuePair<string, object?>("fault", entry.Key.ToString().ToLowerInvariant())));

    private IEnumerable<Measurement<long>> OfKeys(Func<KeyUse, long> value) =>
        _keys.Select(key => new Measurement<long>(value(key), new KeyValuePair<string, object?>("key", key.Name)));

    private IEnumerable<Measurement<long>> ObserveRefusals() => _keys.SelectMany(key => key.Refusals.Select(refusal => new Measurement<long>(
        refusal.Requests, new("key", key.Name), new KeyValuePair<string, object?>("reason", refusal.Reason))));
}
