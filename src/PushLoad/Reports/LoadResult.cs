using PushLoad.Measurement;
using PushLoad.Processes;
using PushLoad.Publishing;
using PushLoad.Verification;

namespace PushLoad.Reports;

/// <summary>Everything about a run: what <c>--json</c> writes. Times are microseconds unless their names say otherwise.</summary>
internal sealed record LoadResult
{
    public required LoadPlan Plan { get; init; }

    /// <summary>When it began.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Processor, cores and system.</summary>
    public required string Machine { get; init; }

    /// <summary>From the first connect to the last JOINED.</summary>
    public double ConnectSeconds { get; init; }

    /// <summary>From the beginning of the publishing to its end.</summary>
    public double RunSeconds { get; init; }

    /// <summary>What the worker processes used, connecting included.</summary>
    public double CpuSeconds { get; init; }

    public required Tally Total { get; init; }

    public required SequenceResult Sequences { get; init; }

    /// <summary>From a message's time to its receipt, over all deliveries to connections that read as fast as they can.</summary>
    public required Percentiles Latency { get; init; }

    /// <summary>From a frame's newest message to its receipt by a worker's last member.</summary>
    public required Percentiles LastMember { get; init; }

    /// <summary>Each connection's longest time between two PUSHes of one socket.</summary>
    public required Percentiles LongestGap { get; init; }

    /// <summary>Each connection's longest time between two PUSHes, reconnects and joins between them included.</summary>
    public required Percentiles LongestSilence { get; init; }

    /// <summary>For each connection that the server or the network ended: until it was joined again.</summary>
    public required Percentiles Absence { get; init; }

    /// <summary>Null when the run published nothing.</summary>
    public PublishTotals? Published { get; init; }

    public required IReadOnlyList<SecondReport> Seconds { get; init; }

    public required Verdict Verdict { get; init; }
}
