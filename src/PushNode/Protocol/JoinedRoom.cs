using PushNode.Connections;
using PushNode.Subscription;

namespace PushNode.Protocol;

/// <summary>
/// A room that a client has joined, or waits to join: its membership, which enters the room's set with JOINED, and its session's state,
/// guarded by the session's lock.
/// </summary>
internal sealed class JoinedRoom(Connection connection, Room room, JoinedRoom? next) : Membership(connection, room.Frames)
{
    /// <summary>The room, held until the client leaves.</summary>
    public Room Room { get; } = room;

    /// <summary>
    /// The session's next room. A linked list, because most sessions have one room and an array costs as much as two links.
    /// </summary>
    public JoinedRoom? Next { get; set; } = next;

    /// <summary>JOINED is sent and the room's set has this member.</summary>
    public bool HasEntered { get; set; }

    /// <summary>The JOIN that waits for the room; null if there is none.</summary>
    public JoinWait? Wait { get; set; }
}
