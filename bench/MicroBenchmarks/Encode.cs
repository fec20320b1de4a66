using BenchmarkDotNet.Attributes;
using PushNode.Messages;

namespace RedisPush.MicroBenchmarks;

/// <summary>Encoding a batch as one frame: once, independent of the number of members.</summary>
public class Encode : IDisposable
{
    private readonly NodeParts _node = new();
    private RoomMessage[] _messages = [];

    /// <summary>Messages of 60 bytes in the batch.</summary>
    [Params(1, 100, 1_000)]
    public int Messages { get; set; }

    /// <summary>Creates the messages.</summary>
    [GlobalSetup]
    public void Make() => _messages = [.. Enumerable.Repeat(NodeParts.Message(60), Messages)];

    /// <summary>Creates the frame; returning its length keeps the work from being optimised away.</summary>
    [Benchmark]
    public int OneFrame() => _node.Frames.Push(_messages).For(Variant.Json).Length;

    /// <summary>Ends the node's threads.</summary>
    [GlobalCleanup]
    public void Dispose()
    {
        _node.Dispose();
        GC.SuppressFinalize(this);
    }
}
