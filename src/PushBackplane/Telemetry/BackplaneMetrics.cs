using System.Collections.Immutable;
using System.Diagnostics.Metrics;

namespace PushBackplane.Telemetry;

/// <summary>The instruments of the backplane, one series for each server; any thread. Prometheus names: <c>push_backplane_*</c>.</summary>
internal sealed class BackplaneMetrics
{
    public const string MeterName = "RedisPush.Backplane";

    private readonly Histogram<double> _roundTrip;
    private volatile Func<long> _historyBytes = static () => 0;
    private ImmutableArray<ServerMetrics> _servers = [];

    public BackplaneMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        meter.CreateObservableGauge(
            "push.backplane.up",
            () => _servers.Select(server => new Measurement<int>(server.IsUp ? 1 : 0, server.Label)),
            unit: null,
            "1 while messages flow through the server, 0 while they do not.");
        meter.CreateObservableCounter(
            "push.backplane.reconnects",
            () => _servers.Select(server => new Measurement<long>(server.Reconnects, server.Label)),
            unit: null,
            "Outages of the server that are over.");
        meter.CreateObservableCounter(
            "push.backplane.history_appends",
            () => _servers.SelectMany(server => server.Histories.Appends(server.Label)),
            unit: null,
            "Appends to rooms' histories on the server, by what became of them.");
        meter.CreateObservableCounter(
            "push.backplane.history_reads",
            () => _servers.SelectMany(server => server.Histories.Reads(server.Label)),
            unit: null,
            "Pages of rooms' histories asked of the server, by what became of them.");
        meter.CreateObservableGauge("push.backplane.history", () => _historyBytes(), "By", "What the histories of the memory backplane take; 0 with Redis.");
        meter.CreateObservableGauge("push.backplane.lateness", Lateness, "s", "How late messages from the server arrive, by the canary; absent while it is unavailable.");

        // From a Redis on the same machine (0.1 ms) to the time-out after which the connection is replaced (3 s).
        _roundTrip = meter.CreateHistogram("push.backplane.roundtrip", "s", "From publishing a canary to receiving it.", advice: new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
        });
    }

    /// <summary>Says what the histories in memory take.</summary>
    public void MeasureHistories(Func<long> bytes) => _historyBytes = bytes;

    private IEnumerable<Measurement<double>> Lateness()
    {
        foreach (var server in _servers)
        {
            if (server.Lateness is { } lateness)
                yield return new Measurement<double>(lateness.TotalSeconds, server.Label);
        }
    }

    /// <summary>Adds a server; its series exist from then on.</summary>
    public ServerMetrics Add(string server)
    {
        var added = new ServerMetrics(server, _roundTrip.Record);
        ImmutableInterlocked.Update(ref _servers, servers => servers.Add(added));
        return added;
    }
}
