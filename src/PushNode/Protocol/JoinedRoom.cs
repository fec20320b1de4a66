using PushBackplane;
using PushNode.Connections;
using PushNode.Subscription;

namespace PushNode.Protocol;

/// <summary>A room that a client has asked for and not left. Guarded by its session's lock.</summary>
internal sealed class JoinedRoom(RoomId id, Room room)
{
    public RoomId Id { get; } = id;

    /// <summary>Held until the client leaves.</summary>
    public Room Room { get; } = room;

    /// <summary>Null until JOINED is sent.</summary>
    public Membership? Membership { get; set; }

    /// <summary>The ids of JOINs that wait for the backplane to come back, one for each, null for one without; null when none waits.</summary>
    public List<string?>? Waiting { get; set; }
}
