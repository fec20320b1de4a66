using PushBackplane;
using PushNode.FanOut;
using PushNode.History;
using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.Merging;

/// <summary>The merge stage: its workers. Lives as long as the node; any thread.</summary>
internal sealed class MergeWorkers : IDisposable
{
    private readonly MergeWorker[] _workers;

    public MergeWorkers(MergeSettings settings, Shards shards, NodeMetrics metrics, TimeProvider time, ILogger<MergeWorkers>? logger = null, Histories? histories = null)
    {
        var failures = new Failures(FailedStage.Merge, metrics, time, logger);
        var clock = new MergeClock(settings, time);
        _workers = new MergeWorker[settings.Workers > 0 ? settings.Workers : Environment.ProcessorCount];
        for (var i = 0; i < _workers.Length; i++)
            _workers[i] = new MergeWorker(i, clock, shards, metrics, failures, histories);
    }

    /// <summary>The worker that merges a topic's messages; always the same one.</summary>
    public MergeWorker For(Topic topic) => _workers[(uint)topic.GetHashCode() % (uint)_workers.Length];

    /// <summary>Completes when all payloads added before have been dispatched, due or not.</summary>
    public Task FlushAsync() => Task.WhenAll(Array.ConvertAll(_workers, worker => worker.FlushAsync()));

    public void Dispose() => Array.ForEach(_workers, worker => worker.Dispose());
}
