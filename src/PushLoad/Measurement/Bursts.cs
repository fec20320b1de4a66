namespace PushLoad.Measurement;

/// <summary>When the messages of each burst arrived. One thread.</summary>
internal sealed class Bursts
{
    /// <summary>What one publish request holds, so that a burst comes to a node at once.</summary>
    public const int MaxMessages = 1000;

    /// <summary>The most bursts that a run may have. A moment that a server made up finds no place behind them.</summary>
    public const int Max = 10_000;

    private readonly Dictionary<long, Burst> _bursts = [];

    /// <summary>In the order in which they were due.</summary>
    public Burst[] All => Sum(_bursts.Values);

    /// <summary>One member received messages of a burst.</summary>
    /// <param name="at">When they were due.</param>
    /// <param name="count">How many.</param>
    /// <param name="now">When they arrived.</param>
    public void Received(long at, int count, long now)
    {
        if (_bursts.TryGetValue(at, out var burst))
            _bursts[at] = burst with { Deliveries = burst.Deliveries + count, Last = Math.Max(burst.Last, now) };
        else if (_bursts.Count < Max)
            _bursts[at] = new Burst(at, count, now, now);
    }

    /// <summary>What several loops or workers received of the same bursts.</summary>
    public static Burst[] Sum(IEnumerable<Burst> parts) =>
    [
        .. parts.GroupBy(part => part.At)
            .OrderBy(burst => burst.Key)
            .Select(burst => new Burst(burst.Key, burst.Sum(part => part.Deliveries), burst.Min(part => part.First), burst.Max(part => part.Last))),
    ];
}

/// <summary>Messages that were due together, as members who are not slow readers received them.</summary>
/// <param name="At">When they were due, in microseconds of the monotonic clock.</param>
/// <param name="Deliveries">Messages times members.</param>
/// <param name="First">When the first member received one of them.</param>
/// <param name="Last">When the last member received one of them.</param>
internal readonly record struct Burst(long At, long Deliveries, long First, long Last);
