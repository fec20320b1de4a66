using System.Diagnostics.CodeAnalysis;

namespace PushBackplane.Counts;

/// <summary>An answer, or why there is none.</summary>
/// <param name="Value">The answer; null if there is none.</param>
/// <param name="Cause">Why the backplane refused to answer; null if it answered, or is unavailable.</param>
public readonly record struct Counted<T>(T? Value, string? Cause = null) where T : class
{
    /// <summary>Whether there is an answer.</summary>
    [MemberNotNullWhen(true, nameof(Value))]
    public bool IsKnown => Value is not null;
}

/// <summary>A room in the whole farm.</summary>
/// <param name="Room">The room.</param>
/// <param name="Online">Its members.</param>
/// <param name="Users">Its distinct users; members without a user are not among them.</param>
/// <param name="Nodes">The number of nodes that have members.</param>
public sealed record RoomCount(RoomId Room, long Online, DistinctUsers Users, int Nodes);

/// <summary>A room in a list.</summary>
/// <param name="Room">The room.</param>
/// <param name="Online">Its members.</param>
/// <param name="Nodes">The number of nodes that have members.</param>
public sealed record ListedRoom(RoomId Room, long Online, int Nodes);

/// <summary>Some rooms.</summary>
/// <param name="Rooms">The rooms.</param>
/// <param name="Next">Where the next page begins; null if there is none.</param>
/// <param name="IsApproximate">Whether a larger room may be missing, because no node has it among its largest.</param>
public sealed record RoomPage(IReadOnlyList<ListedRoom> Rooms, string? Next, bool IsApproximate);

/// <summary>A user in the whole farm.</summary>
/// <param name="User">The user.</param>
/// <param name="Connections">The user's connections.</param>
/// <param name="Nodes">The number of nodes that have them.</param>
public sealed record UserCount(UserId User, long Connections, int Nodes);

/// <summary>One node.</summary>
/// <param name="Id">Its key on the backplane.</param>
/// <param name="Node">Its name.</param>
/// <param name="Totals">Its totals.</param>
public sealed record NodeCount(string Id, string Node, NodeTotals Totals);

/// <summary>Some nodes.</summary>
/// <param name="Nodes">The nodes.</param>
/// <param name="Next">Where the next page begins; null if there is none.</param>
public sealed record NodePage(IReadOnlyList<NodeCount> Nodes, string? Next);

/// <summary>The whole farm.</summary>
/// <param name="Nodes">The number of nodes that report.</param>
/// <param name="Totals">The sum of their totals.</param>
/// <param name="Users">Distinct users with connections.</param>
public sealed record FarmCount(int Nodes, NodeTotals Totals, DistinctUsers Users);
