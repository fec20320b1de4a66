namespace PushLoad.Measurement;

/// <summary>
/// The counts of one loop, or of all loops together. They only grow, except the gauges <see cref="Connections"/> and <see cref="Members"/>.
/// One thread writes; others get copies.
/// </summary>
internal sealed class Tally
{
    private const int MaxReasons = 100;
    private const int MaxReasonLength = 100;

    /// <summary>Connections that are open now.</summary>
    public long Connections { get; set; }

    /// <summary>Memberships that are joined now.</summary>
    public long Members { get; set; }

    /// <summary>Upgrades, or requests for a stream, that succeeded.</summary>
    public long Upgrades { get; set; }

    /// <summary>Data frames, events without comments, or lines that are not empty.</summary>
    public long Frames { get; set; }

    /// <summary>Bytes received after the handshakes, with control frames and signs of life, frame headers and chunk sizes.</summary>
    public long Bytes { get; set; }

    /// <summary>Frames, of those counted above, whose message was deflated and inflated here.</summary>
    public long DeflatedFrames { get; set; }

    /// <summary>Their payloads as they came, of the bytes counted above.</summary>
    public long DeflatedBytes { get; set; }

    /// <summary>Their payloads after inflating.</summary>
    public long InflatedBytes { get; set; }

    /// <summary>PUSH frames, once per connection that received it.</summary>
    public long Pushes { get; set; }

    /// <summary>Messages of this run, once per connection that received it.</summary>
    public long Deliveries { get; set; }

    /// <summary>Messages that do not belong to this run.</summary>
    public long Foreign { get; set; }

    /// <summary>GAP frames to connections that are not slow readers.</summary>
    public long Gaps { get; set; }

    /// <summary>GAP frames to slow readers.</summary>
    public long SlowGaps { get; set; }

    /// <summary>JOINED frames.</summary>
    public long Joins { get; set; }

    /// <summary>LEFT frames.</summary>
    public long Leaves { get; set; }

    /// <summary>Connections that this program closed in order to reopen them.</summary>
    public long Reconnects { get; set; }

    /// <summary>What connections send; null unless they do.</summary>
    public SendTally? Sends { get; set; }

    /// <summary>What became of positions; null unless connections keep them.</summary>
    public ResumeTally? Resumes { get; set; }

    /// <summary>JOINED frames with the number of members.</summary>
    public long OnlineAnswers { get; set; }

    /// <summary>PUSH frames with the number of members, once per connection that received it.</summary>
    public long OnlinePushes { get; set; }

    /// <summary>The last number of members that a frame told; the largest of all loops.</summary>
    public long LastOnline { get; set; }

    /// <summary>Failed connects and upgrades, by reason.</summary>
    public Dictionary<string, long> ConnectFailures { get; init; } = [];

    /// <summary>Connections that the server or the network ended, by reason.</summary>
    public Dictionary<string, long> Disconnects { get; init; } = [];

    /// <summary>The same for slow readers.</summary>
    public Dictionary<string, long> SlowDisconnects { get; init; } = [];

    /// <summary>Protocol violations, by kind.</summary>
    public Dictionary<string, long> Violations { get; init; } = [];

    /// <summary>Counts one more of a reason. A server can word some reasons: after the first hundred the rest are counted together.</summary>
    public static void Count(Dictionary<string, long> reasons, string reason)
    {
        if (reason.Length > MaxReasonLength)
            reason = reason[..MaxReasonLength];
        if (reasons.Count >= MaxReasons && !reasons.ContainsKey(reason))
            reason = "other";
        reasons[reason] = reasons.GetValueOrDefault(reason) + 1;
    }

    public static Tally Sum(IEnumerable<Tally> tallies)
    {
        var sum = new Tally();
        foreach (var tally in tallies)
            sum.Add(tally);
        return sum;
    }

    private void Add(Tally other)
    {
        Connections += other.Connections;
        Members += other.Members;
        Upgrades += other.Upgrades;
        Frames += other.Frames;
        Bytes += other.Bytes;
        DeflatedFrames += other.DeflatedFrames;
        DeflatedBytes += other.DeflatedBytes;
        InflatedBytes += other.InflatedBytes;
        Pushes += other.Pushes;
        Deliveries += other.Deliveries;
        Foreign += other.Foreign;
        Gaps += other.Gaps;
        SlowGaps += other.SlowGaps;
        Joins += other.Joins;
        Leaves += other.Leaves;
        Reconnects += other.Reconnects;
        OnlineAnswers += other.OnlineAnswers;
        OnlinePushes += other.OnlinePushes;
        LastOnline = Math.Max(LastOnline, other.LastOnline);
        if (other.Sends is not null)
            (Sends ??= new SendTally()).Add(other.Sends);
        if (other.Resumes is not null)
            (Resumes ??= new ResumeTally()).Add(other.Resumes);
        Add(ConnectFailures, other.ConnectFailures);
        Add(Disconnects, other.Disconnects);
        Add(SlowDisconnects, other.SlowDisconnects);
        Add(Violations, other.Violations);
    }

    /// <summary>Adds counts to counts.</summary>
    public static void Add(Dictionary<string, long> sum, Dictionary<string, long> reasons)
    {
        foreach (var (reason, count) in reasons)
            sum[reason] = sum.GetValueOrDefault(reason) + count;
    }
}
