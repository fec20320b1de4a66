namespace PushLoad.Messages;

/// <summary>What a server says (docs/protocol.md).</summary>
internal enum ServerMessageType
{
    /// <summary>A type that this program does not know; clients ignore those.</summary>
    Unknown,
    Push,
    Gap,
    Joined,
    Left,
    Pong,
    Error,
}
