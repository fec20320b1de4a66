namespace PushBackplane;

/// <summary>
/// The recipients of a message: every client, the members of one room, or the connections of one user. The default value is
/// <see cref="All"/>.
/// </summary>
public readonly record struct Topic
{
    // At most one of them is not its default value, which is no name.
    private readonly RoomId _room;
    private readonly UserId _user;

    private Topic(RoomId room) => _room = room;

    private Topic(UserId user) => _user = user;

    /// <summary>Every client.</summary>
    public static Topic All => default;

    /// <summary>The room, for a room's members; otherwise null.</summary>
    public RoomId? RoomId => _room == default ? null : _room;

    /// <summary>The user, for a user's connections; otherwise null.</summary>
    public UserId? UserId => _user == default ? null : _user;

    /// <summary>The members of one room.</summary>
    public static Topic Room(RoomId room) => new(room);

    /// <summary>The connections of one user, on all nodes.</summary>
    public static Topic User(UserId user) => new(user);
}
