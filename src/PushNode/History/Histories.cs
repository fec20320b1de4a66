using System.Diagnostics.Metrics;
using PushBackplane;
using PushBackplane.History;
using PushNode.Messages;
using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.History;

/// <summary>Makes the memory of the rooms whose policy wants one, and reads for all of them. Lives as long as the node; any thread.</summary>
internal sealed class Histories : IDisposable
{
    private readonly HistorySettings _settings;
    private readonly MergeSettings _merge;
    private readonly TimeProvider _time;
    private readonly RingTotal _total;

    public Histories(
        IRoomHistory histories, HistorySettings settings, MergeSettings merge, IMeterFactory meters, NodeMetrics nodeMetrics, TimeProvider time,
        ILogger<Histories>? logger = null)
    {
        (_settings, _merge, _time) = (settings, merge, time);
        _total = new RingTotal(settings.MaxTotalBytes);
        Metrics = new HistoryMetrics(meters, () => _total.Bytes, settings.MaxTotalBytes);
        Reads = new HistoryReads(histories, settings, Metrics, new Failures(FailedStage.History, nodeMetrics, time, logger), time);
    }

    /// <summary>Counts what happens.</summary>
    public HistoryMetrics Metrics { get; }

    /// <summary>Reads for the merge workers.</summary>
    public HistoryReads Reads { get; }

    /// <summary>What the node remembers of a room.</summary>
    /// <returns>Null if its policy wants nothing.</returns>
    public RoomHistory? Open(RoomId room, IBackplaneServer home, RoomPolicy policy, RoomFrames frames) =>
        policy.History is null && policy.Recent == 0
            ? null
            : new RoomHistory(room, home, policy.History, policy.Recent, frames, _settings, _total, _merge.MaxBatchBytes, _time);

    public void Dispose() => Reads.Dispose();
}
