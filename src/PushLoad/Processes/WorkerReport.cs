using PushLoad.Measurement;
using PushLoad.Verification;

namespace PushLoad.Processes;

/// <summary>A line that a worker writes: its figures so far, or, with <see cref="Sequences"/>, its result. Histograms are pairs of bucket and count.</summary>
internal sealed record WorkerReport(Tally Tally, long[] Latency, bool AllConnected, double CpuSeconds)
{
    public SequenceResult? Sequences { get; init; }

    public long[] Completion { get; init; } = [];

    public long[] LongestGaps { get; init; } = [];

    public long[] LongestSilences { get; init; } = [];

    public long[] Absences { get; init; } = [];
}
