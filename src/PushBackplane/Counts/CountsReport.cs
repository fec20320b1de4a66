namespace PushBackplane.Counts;

/// <summary>What one node reports: its totals, and the rooms and users that have changed since its last report. Absolute numbers.</summary>
public sealed class CountsReport
{
    /// <summary>The longest <see cref="Id"/>.</summary>
    public const int MaxIdLength = 32;

    /// <summary>The most rooms and users together in one report, so that no report keeps Redis busy for long.</summary>
    public const int MaxChanges = 500;

    /// <summary>The node's own key on the backplane: random, so that a node that starts again never mixes with what it left behind.</summary>
    public required string Id { get; init; }

    /// <summary>The node's name.</summary>
    public required string Node { get; init; }

    /// <summary>Larger than that of every report before, so that one which the network delivers late changes nothing.</summary>
    public required long Sequence { get; init; }

    /// <summary>Whether the node begins again: what it reported before is forgotten.</summary>
    public bool IsFirst { get; init; }

    /// <summary>The node's totals.</summary>
    public required NodeTotals Totals { get; init; }

    /// <summary>All users of the node.</summary>
    public UserSketch AllUsers { get; init; } = UserSketch.Empty;

    /// <summary>The rooms that have changed.</summary>
    public IReadOnlyList<RoomReport> Rooms { get; init; } = [];

    /// <summary>The users whose connections have changed.</summary>
    public IReadOnlyList<UserReport> Users { get; init; } = [];
}

/// <summary>A room on one node.</summary>
/// <param name="Room">The room.</param>
/// <param name="Online">Its members on the node; 0 removes it.</param>
/// <param name="Users">Its users on the node; null if they have not changed since the last report.</param>
/// <param name="Asks">
/// Whether the answer should tell if this occupied or vacated the room for the whole farm. Costs Redis a look at each node.
/// </param>
public readonly record struct RoomReport(RoomId Room, int Online, UserSketch? Users = null, bool Asks = false);

/// <summary>A user on one node.</summary>
/// <param name="User">The user.</param>
/// <param name="Connections">The user's connections on the node; 0 removes the user.</param>
/// <param name="Asks">Whether the answer should tell if this brought the user online or offline for the whole farm.</param>
public readonly record struct UserReport(UserId User, int Connections, bool Asks = false);

/// <summary>What became of a report.</summary>
public enum ReportResult
{
    /// <summary>It counts.</summary>
    Kept,

    /// <summary>The backplane has forgotten the node, which must report everything again.</summary>
    Lost,

    /// <summary>A later report counts already.</summary>
    Stale,

    /// <summary>It may or may not count: the backplane is unavailable, did not confirm in time, or refused.</summary>
    Failed,
}

/// <summary>The answer to a report.</summary>
/// <param name="Result">What became of it.</param>
/// <param name="Changes">What changed for the whole farm, of what asked; null unless the report was kept.</param>
/// <param name="Cause">Why the backplane refused; null unless it did.</param>
public readonly record struct ReportOutcome(ReportResult Result, FarmChanges? Changes = null, string? Cause = null);

/// <summary>
/// What a report changed for the whole farm. Told at least once: a report that was not confirmed is sent, and may tell it, again.
/// </summary>
/// <param name="Occupied">Rooms that had no member on any node before.</param>
/// <param name="Vacated">Rooms that have no member on any node now.</param>
/// <param name="Online">Users who had no connection to any node before.</param>
/// <param name="Offline">Users who have no connection to any node now.</param>
public sealed record FarmChanges(
    IReadOnlyList<RoomId> Occupied, IReadOnlyList<RoomId> Vacated, IReadOnlyList<UserId> Online, IReadOnlyList<UserId> Offline)
{
    /// <summary>Nothing.</summary>
    public static FarmChanges None { get; } = new([], [], [], []);

    /// <summary>Whether nothing changed.</summary>
    public bool IsEmpty => Occupied.Count + Vacated.Count + Online.Count + Offline.Count == 0;
}
