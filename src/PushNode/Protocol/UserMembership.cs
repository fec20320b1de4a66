using PushNode.Connections;
using PushNode.Sending;
using PushNode.Subscription;

namespace PushNode.Protocol;

/// <summary>
/// One connection of a user: its membership in the user's room, which carries the messages to the user and is how the node finds the user's
/// connections. One of the session's rooms, but not one that the client has asked for.
/// </summary>
/// <param name="connection">The connection.</param>
/// <param name="room">The user's room, held until the connection ends.</param>
/// <param name="session">Processes the connection's messages.</param>
internal sealed class UserMembership(Connection connection, Room room, Session session) : JoinedRoom(connection, room, null)
{
    private SenderState? _sender;

    /// <summary>Processes the connection's messages.</summary>
    public Session Session { get; } = session;

    /// <summary>What the connection has sent of late; made with its first SEND. Guarded by the session's lock.</summary>
    public SenderState SenderLocked => _sender ??= new SenderState();
}
