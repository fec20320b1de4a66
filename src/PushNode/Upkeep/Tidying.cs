using PushNode.Transport.Linux;

namespace PushNode.Upkeep;

/// <summary>
/// Returns memory to the system. The runtime collects after 25 MB of garbage on a machine with a large cache, which a node whose connections
/// only receive takes minutes to make, and it keeps what a wave of handshakes needed. So a calm node collects earlier by itself; a busy one leaves
/// it to the runtime (docs/adr/0046-calm-nodes-collect.md). Called once a second by <see cref="NodeTick"/>.
/// </summary>
/// <param name="allocated">Bytes that the process has allocated so far.</param>
/// <param name="collect">Collects everything and compacts it. Returns the bytes that live.</param>
internal sealed class Tidying(Func<long> allocated, Func<long> collect)
{
    /// <summary>The least garbage, in bytes, after which a calm node collects.</summary>
    public const long Least = 1_000_000;

    /// <summary>What lives is at most this many times the garbage: the pause of a collection grows with what lives.</summary>
    public const int Share = 16;

    /// <summary>Bytes a second. A node that allocates less, on average over <see cref="Ticks"/>, is calm.</summary>
    public const long Calm = 256_000;

    /// <summary>Seconds over which it must be calm.</summary>
    public const int Ticks = 5;

    /// <summary>Seconds between two collections at least.</summary>
    public const int Pause = 30;

    /// <summary>What each of the last ticks saw.</summary>
    private readonly long[] _seen = new long[Ticks];

    // The program's start leaves garbage too.
    private long _collectedAt = -Least;
    private long _enough = Least;
    private int _ticks;
    private int _next;

    public Tidying() : this(static () => GC.GetTotalAllocatedBytes(), Collect)
    {
    }

    /// <summary>One tick.</summary>
    public void Run()
    {
        var now = allocated();
        ref var before = ref _seen[_ticks++ % Ticks];
        var isCalm = _ticks > Ticks && now - before <= Calm * Ticks;
        before = now;
        if (!isCalm || now - _collectedAt < _enough || _ticks < _next)
            return;
        (_collectedAt, _next) = (now, _ticks + Pause);
        _enough = Math.Max(Least, collect() / Share);
    }

    private static long Collect()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        // Compiling the handshake's code leaves free pages in the C library's heap.
        NativeHeap.Trim();
        return GC.GetTotalMemory(forceFullCollection: false);
    }
}
