using PushNode.Telemetry;
using PushNode.Transport.Linux;

namespace PushNode.Upkeep;

/// <summary>
/// Gives memory back to the system after the start and after each wave of handshakes. A handshake leaves some 4 KB of HTTP objects behind, and a node whose connections then only receive allocates so little
/// that no collection comes by itself for hours. What they made the runtime compile has left free pages in the C library's heap, which keeps them too. Called once a second, by the node's tick.
/// </summary>
internal sealed class Tidying(NodeMetrics metrics)
{
    /// <summary>A wave worth a collection, about 4 MB of garbage.</summary>
    private const long Wave = 1000;

    /// <summary>Ticks without a handshake after which the wave is over.</summary>
    private const int Calm = 5;

    // The start leaves as much behind as a wave.
    private long _tidiedAt = -Wave;
    private long _lastSeen;
    private int _calm;

    /// <summary>One tick.</summary>
    public void Run()
    {
        var accepted = metrics.ConnectionsAccepted;
        _calm = accepted == _lastSeen ? _calm + 1 : 0;
        _lastSeen = accepted;
        if (_calm < Calm || accepted - _tidiedAt < Wave)
            return;
        _tidiedAt = accepted;
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        NativeHeap.Trim();
    }
}
