using PushLoad.Measurement;
using PushLoad.Verification;

namespace PushLoad.Connections;

/// <summary>
/// The counts and measurements of one loop. Only the loop's thread touches them; other threads get a <see cref="LoopReport"/>.
/// </summary>
internal sealed class LoopFigures
{
    public Tally Tally { get; } = new();

    /// <summary>Per delivery, without slow readers: from when its message was due to its receipt.</summary>
    public Histogram Latency { get; } = new();

    /// <summary>Per frame: from when its newest message was due to its last copy here.</summary>
    public Histogram Completion { get; } = new();

    /// <summary>Per connection that was lost and came back: from its end until all its rooms are joined again.</summary>
    public Histogram Absences { get; } = new();

    /// <summary>Per delivery of what connections send, without slow readers: from the SEND to its receipt.</summary>
    public Histogram SendLatency { get; } = new();

    /// <summary>Per accepted SEND: the time until its SENT.</summary>
    public Histogram SentAfter { get; } = new();

    /// <summary>Per position that was recovered: from the JOIN to the first message that was due after it.</summary>
    public Histogram Resumed { get; } = new();

    /// <summary>When bursts arrived; null unless messages come in bursts.</summary>
    public Bursts? Bursts { get; set; }

    /// <summary>What became of positions, if connections keep them.</summary>
    public ResumeTally Resumes => Tally.Resumes!;

    public void Violated(string what) => Tally.Count(Tally.Violations, what);

    /// <summary>The figures so far.</summary>
    public LoopReport Copy(bool allConnected) => new(Tally.Sum([Tally]), Latency.Since(new Histogram())) { AllConnected = allConnected };

    /// <summary>Ends all checks and returns the loop's result. Called once.</summary>
    /// <param name="connections">The loop's connections.</param>
    /// <param name="rooms">The loop's rooms.</param>
    /// <param name="expectations">
    /// By room, the messages that each member should have received; empty when the run published nothing.
    /// </param>
    /// <param name="sent">By room, what connections sent; empty when none did.</param>
    /// <param name="publishedUntil">When the publishing ended.</param>
    public LoopReport Conclude(
        LoadConnection[] connections, LoadRoom[] rooms, IReadOnlyList<Expectation> expectations, SendTotal[] sent, long publishedUntil)
    {
        var (gaps, silences) = (new Histogram(), new Histogram());
        foreach (var connection in connections)
        {
            if (sent.Length > 0)
                connection.Rooms.EndSends(sent);
            connection.Rooms.EndChecks(expectations);
            if (connection.IsSlow)
                continue;
            Record(gaps, connection.Pauses.LongestGap);
            Record(silences, connection.Pauses.LongestSilenceUntil(publishedUntil));
        }

        var sequences = new SequenceResult();
        foreach (var room in rooms)
        {
            room.RecordCompletions(Completion);
            sequences.Add(room.Name, room.Faults, room.Index < expectations.Count ? expectations[room.Index].UnconfirmedRanges() : []);
        }

        return Copy(allConnected: false) with
        {
            Sequences = sequences,
            Completion = Completion,
            LongestGaps = gaps,
            LongestSilences = silences,
            Absences = Absences,
            SendLatency = SendLatency,
            SentAfter = SentAfter,
            Resumed = Resumed,
            Bursts = Bursts?.All ?? [],
        };
    }

    private static void Record(Histogram histogram, long microseconds)
    {
        if (microseconds > 0)
            histogram.Record(microseconds);
    }
}

/// <summary>A copy of a loop's figures. The last one of a run has the verification's result and the histograms below.</summary>
internal sealed record LoopReport(Tally Tally, Histogram Latency)
{
    /// <summary>Whether every connection is open and has an answer for each of its rooms.</summary>
    public bool AllConnected { get; init; }

    public SequenceResult? Sequences { get; init; }

    public Histogram Completion { get; init; } = new();

    /// <summary>Per connection: its longest time between two PUSHes of one socket.</summary>
    public Histogram LongestGaps { get; init; } = new();

    /// <summary>Per connection: the same over all of its sockets.</summary>
    public Histogram LongestSilences { get; init; } = new();

    public Histogram Absences { get; init; } = new();

    public Histogram SendLatency { get; init; } = new();

    public Histogram SentAfter { get; init; } = new();

    public Histogram Resumed { get; init; } = new();

    public Burst[] Bursts { get; init; } = [];

    /// <summary>By room, what connections sent, once all of it is answered; null before, and when none sends.</summary>
    public SendTotal[]? Sent { get; init; }
}
