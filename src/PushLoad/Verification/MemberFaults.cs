namespace PushLoad.Verification;

/// <summary>The total of the faults that a room's members found. One thread.</summary>
internal sealed class MemberFaults
{
    /// <summary>Messages that arrived a second time.</summary>
    public long Duplicates { get; set; }

    /// <summary>Messages that arrived after a later one.</summary>
    public long Reordered { get; set; }

    /// <summary>Missing messages that a GAP announced.</summary>
    public long Announced { get; set; }

    /// <summary>Messages that a GAP announced as missing but that had arrived.</summary>
    public long AnnouncedInVain { get; set; }

    /// <summary>Holes that were never filled, and how many members had each.</summary>
    public Dictionary<Hole, long> Holes { get; } = [];
}

/// <summary>Sequence numbers that one member did not receive.</summary>
/// <param name="First">The first of them.</param>
/// <param name="Last">The last of them.</param>
/// <param name="Announced">How many of them GAPs announced. A GAP does not say which.</param>
internal readonly record struct Hole(long First, long Last, long Announced)
{
    public long Length => Last - First + 1;

    /// <summary>Missing and not announced.</summary>
    public long Lost => Length - Announced;
}
