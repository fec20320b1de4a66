using PushLoad.Measurement;
using PushLoad.Verification;

namespace PushLoad.Connections;

/// <summary>What a loop has counted so far, copied; the last one of a run has the verification's result.</summary>
internal sealed record LoopReport(Tally Tally, Histogram Latency)
{
    public bool AllConnected { get; init; }

    public SequenceResult? Sequences { get; init; }

    /// <summary>Per frame: from its newest message's time to its last copy here.</summary>
    public Histogram Completion { get; init; } = new();

    /// <summary>Per connection: its longest time between two PUSHes.</summary>
    public Histogram LongestGaps { get; init; } = new();

    /// <summary>Per connection: the same over all of its sockets.</summary>
    public Histogram LongestSilences { get; init; } = new();

    /// <summary>Per connection that was lost and came back: how long it was away.</summary>
    public Histogram Absences { get; init; } = new();
}
