namespace PushLoad.Verification;

/// <summary>The faults of all members. Figures count deliveries: a message that two members missed counts twice.</summary>
internal sealed class SequenceResult
{
    private const int ExamplesToKeep = 20;

    /// <summary>Missing and not announced, though their publishing was confirmed.</summary>
    public long Lost { get; set; }

    /// <summary>Missing, and their publishing was not confirmed.</summary>
    public long MissingUnconfirmed { get; set; }

    /// <summary>Missing, and announced by a GAP.</summary>
    public long Announced { get; set; }

    /// <summary>Announced as missing by a GAP, but not missing.</summary>
    public long AnnouncedInVain { get; set; }

    public long Duplicates { get; set; }

    public long Reordered { get; set; }

    /// <summary>The first few losses, as text.</summary>
    public List<string> Examples { get; init; } = [];

    /// <param name="room">The room's name.</param>
    /// <param name="faults">The faults that its members found.</param>
    /// <param name="unconfirmed">First and last of each range of messages whose publishing was not confirmed.</param>
    public void Add(string room, MemberFaults faults, IReadOnlyCollection<(long First, long Last)> unconfirmed)
    {
        Announced += faults.Announced;
        AnnouncedInVain += faults.AnnouncedInVain;
        Duplicates += faults.Duplicates;
        Reordered += faults.Reordered;
        foreach (var (hole, members) in faults.Holes.OrderBy(entry => entry.Key.First))
        {
            var unconfirmedHere = unconfirmed.Sum(range => Math.Max(0, Math.Min(range.Last, hole.Last) - Math.Max(range.First, hole.First) + 1));
            var excused = Math.Min(hole.Lost, unconfirmedHere);
            MissingUnconfirmed += excused * members;
            Lost += (hole.Lost - excused) * members;
            if (hole.Lost > excused && Examples.Count < ExamplesToKeep)
                Examples.Add($"{room}: {hole.First} to {hole.Last}, missed by {members}");
        }
    }

    public static SequenceResult Sum(IEnumerable<SequenceResult> results)
    {
        var sum = new SequenceResult();
        foreach (var result in results)
        {
            sum.Lost += result.Lost;
            sum.MissingUnconfirmed += result.MissingUnconfirmed;
            sum.Announced += result.Announced;
            sum.AnnouncedInVain += result.AnnouncedInVain;
            sum.Duplicates += result.Duplicates;
            sum.Reordered += result.Reordered;
            sum.Examples.AddRange(result.Examples.Take(ExamplesToKeep - sum.Examples.Count));
        }

        return sum;
    }
}
