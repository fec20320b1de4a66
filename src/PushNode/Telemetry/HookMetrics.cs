using System.Diagnostics.Metrics;

namespace PushNode.Telemetry;

/// <summary>The instruments of a node with hooks; any thread.</summary>
internal sealed class HookMetrics
{
    private readonly Meter _meter;
    private readonly LabelledCounter<HookDrop> _dropped;
    private readonly LabelledCounter<HookRequest> _requests;
    private readonly Histogram<double> _duration;
    private long _delivered;

    public HookMetrics(IMeterFactory meters)
    {
        _meter = meters.Create(NodeMetrics.MeterName);
        _meter.CreateObservableCounter("push.hooks_events", () => Interlocked.Read(ref _delivered), "{event}", "Events that the receiver has accepted.");
        _dropped = new(_meter, "push.hooks_dropped", "{event}", "Events that the receiver did not get, by reason.");
        _requests = new(_meter, "push.hooks_requests", "{request}", "Requests to the receiver, by result.", label: "result");
        _duration = _meter.CreateHistogram(
            "push.hooks_request_duration",
            "s",
            "From the beginning of a request to the receiver's answer, or to giving up.",
            tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] });
    }

    /// <summary>Sets the source of the number of waiting events, read at each export.</summary>
    public void Show(Func<int> waiting) =>
        _meter.CreateObservableUpDownCounter("push.hooks_waiting", waiting, "{event}", "Events that wait for the receiver.");

    public void Dropped(int events, HookDrop reason) => _dropped.Add(events, reason);

    /// <summary>A request to the receiver has ended.</summary>
    /// <param name="events">How many events it has delivered.</param>
    /// <param name="result">How it ended.</param>
    /// <param name="duration">How long it took.</param>
    public void Requested(int events, HookRequest result, TimeSpan duration)
    {
        Interlocked.Add(ref _delivered, events);
        _requests.Add(1, result);
        _duration.Record(duration.TotalSeconds);
    }
}

/// <summary>Why events did not reach the receiver (push_hooks_dropped_total).</summary>
internal enum HookDrop
{
    /// <summary>Too many waited, or too large ones.</summary>
    QueueFull,

    /// <summary>The receiver did not accept them within Hooks:GiveUpAfter.</summary>
    GaveUp,

    /// <summary>The receiver answered that it does not want them.</summary>
    Rejected,

    /// <summary>The program ended.</summary>
    Shutdown,

    /// <summary>An unhandled exception, which is a bug.</summary>
    Failed,
}

/// <summary>How a request to the receiver ended (push_hooks_requests_total).</summary>
internal enum HookRequest
{
    /// <summary>The receiver has the batch.</summary>
    Delivered,

    /// <summary>It may or may not have it; it is sent again.</summary>
    Failed,

    /// <summary>It does not want it; sending it again would not help.</summary>
    Rejected,
}
