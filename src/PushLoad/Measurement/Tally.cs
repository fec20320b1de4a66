namespace PushLoad.Measurement;

/// <summary>
/// What was counted, by one loop or by all together. Counts only grow, except the gauges <see cref="Connections"/> and <see cref="Members"/>. One thread writes; others
/// get copies.
/// </summary>
internal sealed class Tally
{
    /// <summary>Open WebSocket connections, now.</summary>
    public long Connections { get; set; }

    /// <summary>Memberships whose JOINED came, now.</summary>
    public long Members { get; set; }

    /// <summary>Upgrades that succeeded.</summary>
    public long Upgrades { get; set; }

    /// <summary>Data frames.</summary>
    public long Frames { get; set; }

    /// <summary>Everything that came behind the handshakes, control frames included.</summary>
    public long Bytes { get; set; }

    /// <summary>PUSH frames, one per connection that got it.</summary>
    public long Pushes { get; set; }

    /// <summary>Messages of this run, one per connection that got it.</summary>
    public long Deliveries { get; set; }

    /// <summary>Messages of others.</summary>
    public long Foreign { get; set; }

    /// <summary>GAP frames of connections that read as fast as they can.</summary>
    public long Gaps { get; set; }

    /// <summary>GAP frames of slow readers.</summary>
    public long SlowGaps { get; set; }

    /// <summary>JOINED frames.</summary>
    public long Joins { get; set; }

    /// <summary>LEFT frames.</summary>
    public long Leaves { get; set; }

    /// <summary>Connections closed by this program, to be opened again.</summary>
    public long Reconnects { get; set; }

    /// <summary>Connects and upgrades that failed, by reason.</summary>
    public Dictionary<string, long> ConnectFailures { get; init; } = [];

    /// <summary>Connections that the server, or the network, ended, by reason.</summary>
    public Dictionary<string, long> Disconnects { get; init; } = [];

    /// <summary>The same for slow readers.</summary>
    public Dictionary<string, long> SlowDisconnects { get; init; } = [];

    /// <summary>What the protocol does not allow, by what it was.</summary>
    public Dictionary<string, long> Violations { get; init; } = [];

    public static void Count(Dictionary<string, long> reasons, string reason) => reasons[reason] = reasons.GetValueOrDefault(reason) + 1;

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
        Pushes += other.Pushes;
        Deliveries += other.Deliveries;
        Foreign += other.Foreign;
        Gaps += other.Gaps;
        SlowGaps += other.SlowGaps;
        Joins += other.Joins;
        Leaves += other.Leaves;
        Reconnects += other.Reconnects;
        Add(ConnectFailures, other.ConnectFailures);
        Add(Disconnects, other.Disconnects);
        Add(SlowDisconnects, other.SlowDisconnects);
        Add(Violations, other.Violations);
    }

    private static void Add(Dictionary<string, long> sum, Dictionary<string, long> reasons)
    {
        foreach (var (reason, count) in reasons)
            sum[reason] = sum.GetValueOrDefault(reason) + count;
    }
}
