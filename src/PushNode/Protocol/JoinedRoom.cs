using PushNode.Connections;
using PushNode.Subscription;

namespace PushNode.Protocol;

/// <summary>A room that a client has asked for and not left: the membership, which is in the room's set once JOINED is sent, and what its session notes about it, guarded by the session's lock.</summary>
internal sealed class JoinedRoom(Connection connection, Room room, JoinedRoom? next) : Membership(connection, room.Frames)
{
    /// <summary>Held until the client leaves.</summary>
    public Room Room { get; } = room;

    /// <summary>The session's next room. A list of links, because most sessions have one room and an array would cost as much as two of these.</summary>
    public JoinedRoom? Next { get; set; } = next;

    /// <summary>JOINED is sent, and the room's set has this member.</summary>
    public bool HasEntered { get; set; }

    /// <summary>The JOIN that waits for the room to be received; null when none does.</summary>
    public JoinWait? Wait { get; set; }
}
