namespace PushLoad.Connections;

/// <summary>
/// Cuts one connection's HTTP body into messages: lines, or server-sent events, which end with an empty line. Comments and empty lines between
/// events count as messages of their own. Owned by its connection; one thread.
/// </summary>
/// <param name="events">Whether the messages are events.</param>
internal sealed class LineReader(bool events) : FollowingReader<ILineHandler>
{
    protected override int Begin(ReadOnlySpan<byte> bytes, ILineHandler handler)
    {
        if (handler.FindCommon(bytes) is { } frame)
        {
            // None of its bytes is used: they are compared next.
            Follow(frame, 0);
            return 0;
        }

        var length = LengthOf(bytes, bytes[0]);
        if (length > 0)
            return handler.OnMessage(bytes[..length]) ? length : -1;
        Pending.Append(bytes);
        return bytes.Length;
    }

    protected override int Append(ReadOnlySpan<byte> bytes, ILineHandler handler)
    {
        // The end of an event may arrive in two pieces.
        var isSplitEnd = events && bytes[0] == '\n' && Pending.Bytes[^1] == '\n';
        var length = isSplitEnd ? 1 : LengthOf(bytes, Pending.Bytes[0]);
        var used = length > 0 ? length : bytes.Length;
        if (Pending.Count + (long)used > PendingBytes.Max)
            return -1;
        Pending.Append(bytes[..used]);
        if (length == 0)
            return used;

        var goesOn = handler.OnMessage(Pending.Bytes);
        Reset();
        return goesOn ? used : -1;
    }

    protected override bool OnKnown(RoomFrame frame, ILineHandler handler) => handler.OnKnownMessage(frame);

    /// <returns>Bytes up to and including the end of the message; 0 while it has not arrived.</returns>
    private int LengthOf(ReadOnlySpan<byte> bytes, byte first) => events && first is not ((byte)':' or (byte)'\n')
        ? bytes.IndexOf("\n\n"u8) + 2 is > 1 and var end ? end : 0
        : bytes.IndexOf((byte)'\n') + 1;
}

/// <summary>Receives the messages of a <see cref="LineReader"/>. The two methods that take a message return whether to continue reading.</summary>
internal interface ILineHandler
{
    /// <summary>A complete message with its end; the bytes are valid during the call only.</summary>
    bool OnMessage(ReadOnlySpan<byte> message);

    /// <summary>A message with exactly the bytes of one that another connection has received.</summary>
    bool OnKnownMessage(RoomFrame frame);

    /// <summary>
    /// A message that another connection has received and that begins with these bytes, or that they begin with; null when there is none.
    /// </summary>
    RoomFrame? FindCommon(ReadOnlySpan<byte> bytes);
}
