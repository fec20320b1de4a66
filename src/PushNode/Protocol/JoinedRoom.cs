using PushNode.Connections;
using PushNode.Subscription;

namespace PushNode.Protocol;

/// <summary>
/// A room that a client has joined, or waits to join: its membership, which enters the room's set with JOINED, and its session's state,
/// guarded by the session's lock.
/// </summary>
internal class JoinedRoom(Connection connection, Room room, JoinedRoom? next) : Membership(connection, room.Frames)
{
    /// <summary>The room, held until the client leaves.</summary>
    public Room Room { get; } = room;

    /// <summary>
    /// The session's next room. A linked list, because most sessions have one room and an array costs as much as two links.
    /// </summary>
    public JoinedRoom? Next { get; set; } = next;

    /// <summary>JOINED is sent and the room's set has this member.</summary>
    public bool HasEntered { get; set; }

    /// <summary>The client has asked for the number of the farm's members.</summary>
    public bool WantsOnline { get; set; }

    /// <summary>The number for its JOINED; null if it has not asked, or if the number is unknown.</summary>
    public int? Online => WantsOnline ? Frames.Online?.ForJoined(HasEntered ? 0 : 1) : null;

    /// <summary>The JOIN that waits for the room; null if there is none.</summary>
    public JoinWait? Wait { get; set; }

    /// <summary>Makes the one for a room.</summary>
    /// <inheritdoc cref="JoinedRoom(Connection, Room, JoinedRoom)"/>
    public static JoinedRoom Of(Connection connection, Room room, JoinedRoom? next) =>
        room.History is null ? new JoinedRoom(connection, room, next) : new Remembered(connection, room, next);

    /// <summary>Of a room that remembers its messages.</summary>
    private sealed class Remembered(Connection connection, Room room, JoinedRoom? next) : JoinedRoom(connection, room, next)
    {
        public override MemberPlace Place { get; } = new();
    }
}
