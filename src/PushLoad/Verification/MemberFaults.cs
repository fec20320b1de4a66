namespace PushLoad.Verification;

/// <summary>What members found, added up. One thread writes.</summary>
internal sealed class MemberFaults
{
    /// <summary>Came a second time.</summary>
    public long Duplicates { get; set; }

    /// <summary>Came after a later one.</summary>
    public long Reordered { get; set; }

    /// <summary>Missing, and announced by a GAP.</summary>
    public long Announced { get; set; }

    /// <summary>Announced as missing by a GAP, and not missing.</summary>
    public long AnnouncedInVain { get; set; }

    /// <summary>Holes that ended with their member, and how many members had each.</summary>
    public Dictionary<Hole, long> Holes { get; } = [];
}
