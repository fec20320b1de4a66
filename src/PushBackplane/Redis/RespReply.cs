namespace PushBackplane.Redis;

/// <summary>One reply of Redis to a subscriber; its parts lie in the buffer it was read from.</summary>
internal ref struct RespReply
{
    public RespKind Kind { get; init; }

    /// <summary>The channel of a message or an acknowledgement.</summary>
    public ReadOnlySpan<byte> Channel { get; init; }

    /// <summary>The reply to PUBLISH.</summary>
    public long Number { get; init; }

    /// <summary>A message's payload; an error's text.</summary>
    public ReadOnlySpan<byte> Payload { get; init; }
}
