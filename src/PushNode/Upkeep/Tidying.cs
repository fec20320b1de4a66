using PushNode.Telemetry;
using PushNode.Transport.Linux;

namespace PushNode.Upkeep;

/// <summary>
/// Returns memory to the system after the start and after each wave of handshakes. A handshake leaves about 4 KB of HTTP objects behind,
/// and a node whose connections then only receive allocates too little to trigger a collection for hours. Compiling the handshake code also
/// leaves free pages in the C library's heap. Called once a second by <see cref="NodeTick"/>.
/// </summary>
internal sealed class Tidying(NodeMetrics metrics)
{
    /// <summary>The number of handshakes that justifies a collection: about 4 MB of garbage.</summary>
    private const long Wave = 1000;

    /// <summary>Ticks without a handshake after which the wave is over.</summary>
    private const int Calm = 5;

    // The program's start leaves as much garbage as a wave.
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
