namespace PushNode.Messages;

/// <summary>One message of a room.</summary>
/// <param name="Json">Its JSON.</param>
/// <param name="Offset">Its number in the room's history; 0 if it has none: it was published without a position, or the room has no history.</param>
internal readonly record struct RoomMessage(ReadOnlyMemory<byte> Json, long Offset = 0)
{
    /// <summary>Whether it has no position.</summary>
    public bool IsPlain => Offset == 0;
}
