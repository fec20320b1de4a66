using PushBackplane;
using PushBackplane.Counts;

namespace PushNode.Access;

/// <summary>Who a connection is and what it may do. Made at the handshake, replaced by AUTH. Immutable; any thread.</summary>
internal sealed class Principal
{
    /// <summary>A client of a node that verifies no tokens: it may join every room, and send nothing.</summary>
    public static Principal Anyone { get; } = new() { Join = RoomPatterns.All };

    private ulong _userHash;

    /// <summary>The user, from the token's <c>sub</c>; null for an anonymous client, which may have rights but cannot send.</summary>
    public UserId? User { get; init; }

    /// <summary>Stands for the user in counts; 0 without a user. Two threads may both compute it.</summary>
    public ulong UserHash => User is not { } user ? 0 : _userHash != 0 ? _userHash : _userHash = UserSketch.HashOf(user);

    /// <summary>The rooms that it may join.</summary>
    public RoomPatterns Join { get; init; } = RoomPatterns.None;

    /// <summary>The rooms into which it may SEND.</summary>
    public RoomPatterns Send { get; init; } = RoomPatterns.None;

    /// <summary>When its token expires; null if it has none.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>The token's <c>info</c> as JSON; empty if it has none.</summary>
    public byte[] Info { get; init; } = [];
}
