using System.Diagnostics.Metrics;
using PushBackplane.Counts;

namespace PushNode.Telemetry;

/// <summary>The instruments of a node that reports its counts; any thread.</summary>
internal sealed class CountsMetrics
{
    private readonly LabelledCounter<ReportResult> _reports;
    private long _changes;
    private FarmCount? _farm;

    public CountsMetrics(IMeterFactory meters)
    {
        Meter = meters.Create(NodeMetrics.MeterName);
        _reports = new(Meter, "push.counts_reports", "{report}", "Reports of the node's counts, by result.", label: "result");
        Meter.CreateObservableCounter(
            "push.counts_changes", () => Interlocked.Read(ref _changes), "{change}", "Rooms and users whose changes were reported.");
        Meter.CreateObservableGauge(
            "push.farm_connections", () => Farm(farm => farm.Totals.Connections), "{connection}", "Open connections of all nodes; absent while unknown.");
        Meter.CreateObservableGauge("push.farm_nodes", () => Farm(farm => farm.Nodes), "{node}", "Nodes that report; absent while unknown.");
    }

    private Meter Meter { get; }

    /// <summary>Sets the source of what waits, read at each export.</summary>
    /// <param name="backlog">Rooms and users whose changes are not reported yet.</param>
    /// <param name="lateness">The time since the last report that was kept.</param>
    public void Show(Func<int> backlog, Func<TimeSpan> lateness)
    {
        Meter.CreateObservableUpDownCounter("push.counts_backlog", backlog, "{change}", "Rooms and users whose changes wait to be reported.");
        Meter.CreateObservableGauge(
            "push.counts_lateness", () => lateness().TotalSeconds, "s", "Time since the last report that was kept; about 1 while all is well.");
    }

    public void Reported(ReportResult result, int changes)
    {
        _reports.Add(1, result);
        if (result == ReportResult.Kept)
            Interlocked.Add(ref _changes, changes);
    }

    /// <summary>Sets the whole farm's counts; null while they are unknown.</summary>
    public void ShowFarm(FarmCount? farm) => Volatile.Write(ref _farm, farm);

    private Measurement<long>[] Farm(Func<FarmCount, long> value) => Volatile.Read(ref _farm) is { } farm ? [new Measurement<long>(value(farm))] : [];
}
