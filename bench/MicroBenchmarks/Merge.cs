using BenchmarkDotNet.Attributes;
using PushNode.Merging;
using PushNode.Settings;
using PushNode.Telemetry;

namespace RedisPush.MicroBenchmarks;

/// <summary>Validating and batching a room's messages of one window. The room has no members, so nothing is encoded.</summary>
public class Merge : IDisposable
{
    private readonly NodeParts _node = new();
    private readonly MergeClock _clock = new(new MergeSettings(), TimeProvider.System);
    private readonly Merger _merger;
    private readonly RoomBatch _room;
    private readonly ReadOnlyMemory<byte> _message = NodeParts.Message(60).Json;

    /// <summary>Creates a merger and a room.</summary>
    public Merge()
    {
        _merger = new Merger(_clock, _node.Shards, _node.Metrics, new Failures(FailedStage.Merge, _node.Metrics, TimeProvider.System), static _ => { });
        _room = new RoomBatch(_node.Frames, _node.Members);
    }

    /// <summary>Messages of 60 bytes in the window.</summary>
    [Params(1, 100, 1_000)]
    public int Messages { get; set; }

    /// <summary>All messages of a window, and its flush.</summary>
    [Benchmark]
    public void OneWindow()
    {
        var now = _clock.Now;
        for (var i = 0; i < Messages; i++)
            _merger.Accept(_room, _message, now);
        _merger.FlushAll(now);
    }

    /// <summary>Ends the node's threads.</summary>
    [GlobalCleanup]
    public void Dispose()
    {
        _node.Dispose();
        GC.SuppressFinalize(this);
    }
}
