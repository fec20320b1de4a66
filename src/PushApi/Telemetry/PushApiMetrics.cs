using System.Collections.Frozen;
using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using PushApi.Problems;

namespace PushApi.Telemetry;

/// <summary>
/// The API's metrics. Called from request threads. The counters are plain numbers that the exporter reads, so that every series exists from
/// the start at 0. No room is ever a label.
/// </summary>
internal sealed class PushApiMetrics
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "RedisPush.Api";

    private readonly FrozenDictionary<ProblemType, StrongBox<long>> _rejected =
        ProblemType.All.ToFrozenDictionary(kind => kind, _ => new StrongBox<long>());

    private readonly Histogram<double> _publishDuration;
    private long _roomMessages;
    private long _broadcastMessages;

    public PushApiMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        meter.CreateObservableCounter("push.api.messages", ObserveMessages, unit: null, "Messages published and confirmed, counted once per room.");
        meter.CreateObservableCounter("push.api.rejected", ObserveRejected, unit: null, "Requests refused, by reason.");
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

    /// <summary>Messages were published to one room or several.</summary>
    /// <param name="messages">Messages times rooms.</param>
    public void PublishedToRooms(long messages) => Interlocked.Add(ref _roomMessages, messages);

    /// <summary>Messages were published to everybody.</summary>
    public void PublishedToAll(long messages) => Interlocked.Add(ref _broadcastMessages, messages);

    /// <summary>A request was refused.</summary>
    public void Rejected(ProblemType kind) => Interlocked.Increment(ref _rejected[kind].Value);

    /// <summary>The backplane confirmed a request's messages, or did not in time.</summary>
    public void PublishEnd(TimeSpan duration) => _publishDuration.Record(duration.TotalSeconds);

    private IEnumerable<Measurement<long>> ObserveMessages() =>
    [
        new(Interlocked.Read(ref _roomMessages), new KeyValuePair<string, object?>("target", "room")),
        new(Interlocked.Read(ref _broadcastMessages), new KeyValuePair<string, object?>("target", "broadcast")),
    ];

    private IEnumerable<Measurement<long>> ObserveRejected() => _rejected.Select(entry =>
        new Measurement<long>(Interlocked.Read(ref entry.Value.Value), new KeyValuePair<string, object?>("reason", entry.Key.Reason)));
}
