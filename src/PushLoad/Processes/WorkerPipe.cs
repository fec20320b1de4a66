using System.Text.Json.Serialization;
using PushLoad.Measurement;
using PushLoad.Plans;
using PushLoad.Verification;

namespace PushLoad.Processes;

/// <summary>The lines between the main process and a worker: the worker reads its plan, then commands, and writes reports.</summary>
[JsonSerializable(typeof(WorkerPlan))]
[JsonSerializable(typeof(WorkerCommand))]
[JsonSerializable(typeof(WorkerReport))]
internal sealed partial class WorkerPipe : JsonSerializerContext;

/// <summary>From the main process to a worker.</summary>
internal sealed record WorkerCommand(WorkerStep Step)
{
    /// <summary>By room, then by user; empty when this run published nothing.</summary>
    public Expectation[] Expectations { get; init; } = [];

    /// <summary>By room, what all connections sent; empty when none did.</summary>
    public SendTotal[] Sent { get; init; } = [];

    /// <summary>How long to wait for the expected messages.</summary>
    public long PatienceMicroseconds { get; init; }
}

/// <summary>The steps of a run, in order.</summary>
internal enum WorkerStep
{
    /// <summary>Publishing and sending begin.</summary>
    Begin,

    /// <summary>Sending has ended: the worker reports what it sent, once all of it is answered. Left out when no connection sends.</summary>
    Settle,

    /// <summary>Publishing has ended: the worker waits for the last messages and returns its result.</summary>
    Finish,
}

/// <summary>From a worker: its figures so far, or, with <see cref="Sequences"/>, its result. Histograms are pairs of bucket and count.</summary>
internal sealed record WorkerReport(Tally Tally, long[] Latency, bool AllConnected, double CpuSeconds)
{
    public SequenceResult? Sequences { get; init; }

    public long[] Completion { get; init; } = [];

    public long[] LongestGaps { get; init; } = [];

    public long[] LongestSilences { get; init; } = [];

    public long[] Absences { get; init; } = [];

    public long[] SendLatency { get; init; } = [];

    public long[] SentAfter { get; init; } = [];

    public long[] Resumed { get; init; } = [];

    public Burst[] Bursts { get; init; } = [];

    /// <summary>By room, what this worker's connections sent, once all of it is answered; null before, and when none sends.</summary>
    public SendTotal[]? Sent { get; init; }
}
