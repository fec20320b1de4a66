using System.Text.Json.Serialization;
using System.Text.Json;
using PushLoad.Measurement;
using PushLoad.Plans;
using PushLoad.Publishing;
using PushLoad.Verification;

namespace PushLoad.Reports;

/// <summary>Everything about a run, as <c>--json</c> writes it. Times are microseconds unless their names say otherwise.</summary>
internal sealed record LoadResult
{
    public required LoadPlan Plan { get; init; }

    /// <summary>When it began.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Processor, cores and system.</summary>
    public required string Machine { get; init; }

    /// <summary>From the first connect to the last JOINED.</summary>
    public double ConnectSeconds { get; init; }

    /// <summary>From the start of the publishing to its end.</summary>
    public double RunSeconds { get; init; }

    /// <summary>CPU time of the worker processes, connecting included.</summary>
    public double CpuSeconds { get; init; }

    public required Tally Total { get; init; }

    public required Traffic Traffic { get; init; }

    public required SequenceResult Sequences { get; init; }

    /// <summary>From when a message was due to its receipt, over all deliveries except those to slow readers.</summary>
    public required Percentiles Latency { get; init; }

    /// <summary>From when a frame's newest message was due until the last member in a worker received it.</summary>
    public required Percentiles LastMember { get; init; }

    /// <summary>Each connection's longest time between two PUSHes of one socket.</summary>
    public required Percentiles LongestGap { get; init; }

    /// <summary>Each connection's longest time between two PUSHes, including reconnects and joins between them.</summary>
    public required Percentiles LongestSilence { get; init; }

    /// <summary>For each connection that the server or the network ended: the time until it had joined again.</summary>
    public required Percentiles Absence { get; init; }

    /// <summary>From a SEND to its receipt, over all deliveries of what connections sent except those to slow readers.</summary>
    public required Percentiles SendLatency { get; init; }

    /// <summary>From a SEND to its SENT.</summary>
    public required Percentiles SentAfter { get; init; }

    /// <summary>From a JOIN with a position that was recovered to the first message that was due after it.</summary>
    public required Percentiles Resumed { get; init; }

    /// <summary>With <c>--burst</c>: when each arrived.</summary>
    public required Burst[] Bursts { get; init; }

    /// <summary>Null when the run published nothing.</summary>
    public PublishTotals? Published { get; init; }

    public required IReadOnlyList<SecondReport> Seconds { get; init; }

    public required Verdict Verdict { get; init; }
}

/// <summary>One line of the live progress, and one point of the plots. Rates are per second; latencies are those of this interval.</summary>
internal sealed record SecondReport(
    double Seconds,
    string Phase,
    long Connections,
    long Members,
    double PublishedPerSecond,
    double FramesPerSecond,
    double DeliveriesPerSecond,
    double BytesPerSecond,
    Percentiles Latency);

/// <summary>Writes the file of <c>--json</c>.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, UseStringEnumConverter = true)]
[JsonSerializable(typeof(LoadResult))]
internal sealed partial class ResultJson : JsonSerializerContext
{
    public static string Text(LoadResult result) => JsonSerializer.Serialize(result, Default.LoadResult);
}
