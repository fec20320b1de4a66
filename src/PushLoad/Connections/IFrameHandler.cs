namespace PushLoad.Connections;

/// <summary>What a <see cref="FrameReader"/> gives frames to. All but one return whether the connection goes on.</summary>
internal interface IFrameHandler
{
    /// <summary>A frame, in bytes that are valid during the call only.</summary>
    bool OnFrame(FrameHeader header, ReadOnlySpan<byte> frame);

    /// <summary>A frame whose every byte is that of one seen before.</summary>
    bool OnKnownFrame(RoomFrame frame);

    /// <summary>A frame seen before that begins with these bytes; null when there is none.</summary>
    RoomFrame? FindFrame(ReadOnlySpan<byte> beginning);
}
