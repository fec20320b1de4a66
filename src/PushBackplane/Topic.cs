namespace PushBackplane;

/// <summary>The recipients of a message: every client, or the members of one room. The default value is <see cref="All"/>.</summary>
public readonly record struct Topic
{
    private Topic(RoomId room) => RoomId = room;

    /// <summary>Every client.</summary>
    public static Topic All => default;

    /// <summary>The room, for a room's members; otherwise null.</summary>
    public RoomId? RoomId { get; }

    /// <summary>The members of one room.</summary>
    public static Topic Room(RoomId room) => new(room);
}
