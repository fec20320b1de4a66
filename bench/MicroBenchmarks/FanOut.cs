using BenchmarkDotNet.Attributes;
using PushNode.Messages;

namespace RedisPush.MicroBenchmarks;

/// <summary>
/// One frame over all shards to every member of a room, without sockets. The cost of a push, in time and in allocated bytes, is the difference
/// between two rows divided by the difference in members.
/// </summary>
public class FanOut : IDisposable
{
    private readonly NodeParts _node = new();
    private readonly AutoResetEvent _left = new(false);
    private readonly Action _signal;
    private readonly Batch _batch;

    /// <summary>Creates the node and the frame.</summary>
    public FanOut()
    {
        _signal = () => _left.Set();
        _batch = _node.Frames.Push([NodeParts.Message(550)]);
    }

    /// <summary>Members of the room.</summary>
    [Params(1, 1_000, 10_000)]
    public int Members { get; set; }

    /// <summary>Adds the members.</summary>
    [GlobalSetup]
    public void Join() => _node.Join(Members);

    /// <summary>From dispatch until every shard has tried every member.</summary>
    [Benchmark]
    public void OneFrame()
    {
        _node.Shards.Dispatch(_node.Members, _batch, left: _signal);
        _left.WaitOne();
    }

    /// <summary>Ends the node's threads.</summary>
    [GlobalCleanup]
    public void Dispose()
    {
        _node.Dispose();
        _left.Dispose();
        GC.SuppressFinalize(this);
    }
}
