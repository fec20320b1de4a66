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
/// <param name="Finish">Whether publishing has ended; otherwise it begins.</param>
/// <param name="Expectations">By room; empty when this run published nothing.</param>
/// <param name="PatienceMicroseconds">How long to wait for the expected messages.</param>
internal sealed record WorkerCommand(bool Finish, Expectation[] Expectations, long PatienceMicroseconds);

/// <summary>From a worker: its figures so far, or, with <see cref="Sequences"/>, its result. Histograms are pairs of bucket and count.</summary>
internal sealed record WorkerReport(Tally Tally, long[] Latency, bool AllConnected, double CpuSeconds)
{
    public SequenceResult? Sequences { get; init; }

    public long[] Completion { get; init; } = [];

    public long[] LongestGaps { get; init; } = [];

    public long[] LongestSilences { get; init; } = [];

    public long[] Absences { get; init; } = [];
}
