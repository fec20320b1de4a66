using PushBackplane;
using PushNode.FanOut;
using PushNode.Messages;
using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.Merging;

/// <summary>The merge stage: spreads rooms over its workers. Lives as long as the node; any thread.</summary>
internal sealed class MergeWorkers : IDisposable
{
    private readonly MergeWorker[] _workers;

    public MergeWorkers(MergeSettings settings, Shards shards, NodeMetrics metrics, TimeProvider time, ILogger<MergeWorkers>? logger = null)
    {
        var failures = new Failures(FailedStage.Merge, metrics, time, logger);
        var clock = new MergeClock(settings, time);
        _workers = new MergeWorker[settings.Workers > 0 ? settings.Workers : Environment.ProcessorCount];
        for (var i = 0; i < _workers.Length; i++)
            _workers[i] = new MergeWorker(i, new Merger(clock, shards, metrics, failures), clock, metrics);
    }

    /// <summary>The merge state for a new room.</summary>
    /// <param name="room">The room; null for broadcasts.</param>
    /// <param name="frames">Encodes for the room.</param>
    /// <param name="members">Who gets its frames.</param>
    public RoomMerge Open(RoomId? room, RoomFrames frames, RoomMembers members) =>
        new(_workers[(uint)(room?.GetHashCode() ?? 0) % (uint)_workers.Length], frames, members);

    /// <summary>Completes when everything received before has been dispatched, due or not.</summary>
    public Task FlushAsync() => Task.WhenAll(Array.ConvertAll(_workers, worker => worker.FlushAsync()));

    public void Dispose()
    {
        foreach (var worker in _workers)
            worker.Dispose();
    }
}
