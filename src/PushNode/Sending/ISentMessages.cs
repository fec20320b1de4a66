using PushBackplane;

namespace PushNode.Sending;

/// <summary>Wants to know what clients have sent. Registered as a service, any number of them; most nodes have none.</summary>
internal interface ISentMessages
{
    /// <summary>Called when the backplane has confirmed a SEND. Must not block: the client's answer waits for it.</summary>
    /// <param name="room">The room.</param>
    /// <param name="user">The sender.</param>
    /// <param name="message">The message as the room's members get it. Not changed later.</param>
    void OnSent(RoomId room, UserId user, ReadOnlyMemory<byte> message);
}
