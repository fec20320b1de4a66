using System.Text.Json.Serialization;

namespace RedisPush.Publisher;

/// <summary>Who is in a room, on all nodes. Numbers are at most about a second old.</summary>
public sealed record RoomCount
{
    /// <summary>The room.</summary>
    public required string Room { get; init; }

    /// <summary>Connections in the room.</summary>
    public long Online { get; init; }

    /// <summary>How many nodes have them.</summary>
    public int Nodes { get; init; }

    /// <summary>Different users among them; null in a list of rooms.</summary>
    public long? Users { get; init; }

    /// <summary>Whether <see cref="Users"/> is an estimate.</summary>
    public bool UsersApproximate { get; init; }
}

/// <summary>Some rooms with members.</summary>
public sealed record RoomsPage
{
    /// <summary>The rooms.</summary>
    public required IReadOnlyList<RoomCount> Rooms { get; init; }

    /// <summary>Whether a larger room may be missing.</summary>
    public bool Approximate { get; init; }

    /// <summary>The cursor of the next page; null on the last.</summary>
    public string? Next { get; init; }
}

/// <summary>The connections of a user, and what the user may not do.</summary>
public sealed record UserCount
{
    /// <summary>The user.</summary>
    public required string User { get; init; }

    /// <summary>The user's connections.</summary>
    public long Connections { get; init; }

    /// <summary>How many nodes have them.</summary>
    public int Nodes { get; init; }

    /// <summary>The user's ban; null without one.</summary>
    public UserRestriction? Ban { get; init; }

    /// <summary>The user's mutes.</summary>
    public IReadOnlyList<UserRestriction> Mutes { get => field ?? []; init; }

    /// <summary>Whether the farm could not read bans and mutes.</summary>
    public bool RestrictionsUnknown { get; init; }
}

/// <summary>A ban or mute.</summary>
public sealed record UserRestriction
{
    /// <summary>Where a mute holds; null for everywhere.</summary>
    public string? Room { get; init; }

    /// <summary>When it ends, in seconds since 1970.</summary>
    [JsonPropertyName("until")]
    public long UntilUnixSeconds { get; init; }

    /// <summary>Why; null if no reason was given.</summary>
    public string? Reason { get; init; }
}

/// <summary>A push node.</summary>
public sealed record NodeCount
{
    /// <summary>Tells two nodes of one name apart, and a node from what it was before its restart.</summary>
    public required string Id { get; init; }

    /// <summary>Its name.</summary>
    public required string Node { get; init; }

    /// <summary>When it started.</summary>
    public DateTimeOffset Started { get; init; }

    /// <summary>Its open connections.</summary>
    public long Connections { get; init; }

    /// <summary>Its rooms with members.</summary>
    public long Rooms { get; init; }

    /// <summary>Its different users.</summary>
    public long Users { get; init; }
}

/// <summary>Some nodes of the farm.</summary>
public sealed record NodesPage
{
    /// <summary>The nodes.</summary>
    public required IReadOnlyList<NodeCount> Nodes { get; init; }

    /// <summary>The cursor of the next page; null on the last.</summary>
    public string? Next { get; init; }
}

/// <summary>Sums over all nodes. Those of messages and deliveries count from the start of each node.</summary>
public sealed record FarmStats
{
    /// <summary>The number of nodes.</summary>
    public int Nodes { get; init; }

    /// <summary>Open connections.</summary>
    public long Connections { get; init; }

    /// <summary>Different users with connections.</summary>
    public long Users { get; init; }

    /// <summary>Whether <see cref="Users"/> is an estimate.</summary>
    public bool UsersApproximate { get; init; }

    /// <summary>Rooms with members; a room counts once for each node that has members in it.</summary>
    public long NodeRooms { get; init; }

    /// <summary>Messages received from Redis.</summary>
    public long MessagesReceived { get; init; }

    /// <summary>Messages that left in a batch.</summary>
    public long MessagesMerged { get; init; }

    /// <summary>Messages that were dropped before a batch.</summary>
    public long MessagesDropped { get; init; }

    /// <summary>PUSH frames that connections have accepted.</summary>
    public long FramesSent { get; init; }

    /// <summary>Messages that connections have accepted.</summary>
    public long Deliveries { get; init; }

    /// <summary>Messages that connections should have got and did not.</summary>
    public long DeliveriesDropped { get; init; }
}

/// <summary>What became of an order.</summary>
public sealed record OrderResult
{
    /// <summary>How many nodes heard it.</summary>
    public long Nodes { get; init; }

    /// <summary>When the ban or mute ends, in seconds since 1970; null for other orders.</summary>
    [JsonPropertyName("until")]
    public long? UntilUnixSeconds { get; init; }
}

/// <summary>The body of an order.</summary>
internal sealed record OrderBody(long? Seconds, string? Reason, string? Room)
{
    [JsonIgnore]
    public bool IsEmpty => Seconds is null && Reason is null && Room is null;
}

// An item may have 64 levels, and a page has three more.
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, MaxDepth = 67)]
[JsonSerializable(typeof(RoomCount))]
[JsonSerializable(typeof(RoomsPage))]
[JsonSerializable(typeof(UserCount))]
[JsonSerializable(typeof(MessagesPage))]
[JsonSerializable(typeof(NodesPage))]
[JsonSerializable(typeof(FarmStats))]
[JsonSerializable(typeof(OrderResult))]
[JsonSerializable(typeof(OrderBody))]
internal sealed partial class FarmJson : JsonSerializerContext;
