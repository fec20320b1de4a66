using System.Diagnostics.Metrics;

namespace PushNode.Telemetry;

/// <summary>The instruments of rooms that remember their messages; any thread.</summary>
internal sealed class HistoryMetrics
{
    private readonly LabelledCounter<HistoryReading> _reads;
    private readonly LabelledCounter<HistoryGap> _gaps;
    private readonly LabelledCounter<ResumeResult> _resumes;
    private long _healed;

    /// <param name="meters">Creates the meter.</param>
    /// <param name="held">What all rings hold, in bytes.</param>
    /// <param name="limit">What they may hold.</param>
    public HistoryMetrics(IMeterFactory meters, Func<long> held, long limit)
    {
        var meter = meters.Create(NodeMetrics.MeterName);
        _reads = new(meter, "push.history_reads", "{read}", "Reads of rooms' histories, by result.", label: "result");
        _gaps = new(meter, "push.history_gaps", "{gap}", "Times that a room's missing messages could not be brought back, by reason.");
        _resumes = new(meter, "push.resumes", "{join}", "JOINs with a position, by result.", label: "result");
        meter.CreateObservableCounter(
            "push.history_messages_healed", () => Interlocked.Read(ref _healed), "{message}", "Messages that the node had missed and read again.");
        meter.CreateObservableUpDownCounter("push.history_rings", held, "By", "What the node remembers of all rooms.");
        meter.CreateObservableGauge("push.history_rings_limit", () => limit, "By", "Above this the node forgets all but the last message of a busy room.");
    }

    public void Read(HistoryReading result) => _reads.Add(1, result);

    public void Gap(HistoryGap reason) => _gaps.Add(1, reason);

    public void Resumed(bool recovered) => _resumes.Add(1, recovered ? ResumeResult.Recovered : ResumeResult.NotRecovered);

    public void Healed(int messages) => Interlocked.Add(ref _healed, messages);
}

/// <summary>The result of a read (push_history_reads_total).</summary>
internal enum HistoryReading
{
    /// <summary>A page came.</summary>
    Read,

    /// <summary>The home is away or did not answer in time; the node tries again.</summary>
    Away,

    /// <summary>The home keeps no histories.</summary>
    Refused,
}

/// <summary>Why messages could not be brought back (push_history_gaps_total), as in the GAP.</summary>
internal enum HistoryGap
{
    /// <summary>The history was too short.</summary>
    History,

    /// <summary>The history began anew.</summary>
    Epoch,
}

/// <summary>The result of a JOIN with a position (push_resumes_total).</summary>
internal enum ResumeResult
{
    /// <summary>The client gets everything after its position.</summary>
    Recovered,

    /// <summary>It does not.</summary>
    NotRecovered,
}
