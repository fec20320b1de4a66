using System.Diagnostics.Metrics;

namespace PushBackplane.Telemetry;

/// <summary>The instruments of the backplane; any thread. Prometheus names: <c>push_backplane_*</c>.</summary>
internal sealed class BackplaneMetrics
{
    public const string MeterName = "RedisPush.Backplane";

    private readonly Histogram<double> _roundTrip;
    private long _reconnects;
    private int _up;

    public BackplaneMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        meter.CreateObservableGauge("push.backplane.up", () => Volatile.Read(ref _up), null, "1 while messages flow, 0 while they do not.");
        meter.CreateObservableCounter("push.backplane.reconnects", () => Interlocked.Read(ref _reconnects), null, "Outages that are over.");

        // From a Redis on the same machine (0.1 ms) to the time-out after which the connection is built anew (3 s).
        _roundTrip = meter.CreateHistogram("push.backplane.roundtrip", "s", "From publishing a canary to receiving it.", advice: new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
        });
    }

    public void WentUp() => Volatile.Write(ref _up, 1);

    public void WentAway() => Volatile.Write(ref _up, 0);

    public void Reconnected() => Interlocked.Increment(ref _reconnects);

    public void CanaryCameBack(TimeSpan roundTrip) => _roundTrip.Record(roundTrip.TotalSeconds);
}
