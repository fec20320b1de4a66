namespace PushBackplane.Counts;

/// <summary>What one node counts as a whole, or the sum over nodes. Counters count from the start of each node.</summary>
public sealed record NodeTotals
{
    /// <summary>Their names on Redis, in the order of <see cref="Values"/>.</summary>
    internal static readonly string[] Names =
    [
        "started", "connections", "rooms", "users", "received", "merged", "merged_all", "dropped", "sent", "deliveries", "undelivered",
    ];

    /// <summary>When the node started, in seconds since 1970; 0 in a sum.</summary>
    public long Started { get; init; }

    /// <summary>Open connections.</summary>
    public long Connections { get; init; }

    /// <summary>Rooms with members. In a sum a room counts once for each node that has members in it.</summary>
    public long Rooms { get; init; }

    /// <summary>Distinct users with connections. In a sum a user counts once for each of his nodes.</summary>
    public long Users { get; init; }

    /// <summary>Messages received from the backplane.</summary>
    public long MessagesReceived { get; init; }

    /// <summary>Messages that left in a batch.</summary>
    public long MessagesMerged { get; init; }

    /// <summary>Those of <see cref="MessagesMerged"/> that were broadcasts.</summary>
    public long BroadcastsMerged { get; init; }

    /// <summary>Messages dropped before a batch.</summary>
    public long MessagesDropped { get; init; }

    /// <summary>PUSH frames that connections have accepted.</summary>
    public long FramesSent { get; init; }

    /// <summary>Messages that connections have accepted.</summary>
    public long Deliveries { get; init; }

    /// <summary>Messages that connections should have got and did not.</summary>
    public long DeliveriesDropped { get; init; }

    /// <summary>The numbers, in the order of <see cref="Names"/>.</summary>
    internal long[] Values =>
    [
        Started, Connections, Rooms, Users, MessagesReceived, MessagesMerged, BroadcastsMerged, MessagesDropped,
        FramesSent, Deliveries, DeliveriesDropped,
    ];

    /// <param name="values">As many as <see cref="Names"/>.</param>
    internal static NodeTotals Of(ReadOnlySpan<long> values) => new()
    {
        Started = values[0],
        Connections = values[1],
        Rooms = values[2],
        Users = values[3],
        MessagesReceived = values[4],
        MessagesMerged = values[5],
        BroadcastsMerged = values[6],
        MessagesDropped = values[7],
        FramesSent = values[8],
        Deliveries = values[9],
        DeliveriesDropped = values[10],
    };
}
