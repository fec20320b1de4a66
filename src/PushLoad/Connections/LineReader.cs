namespace PushLoad.Connections;

/// <summary>
/// Cuts one connection's HTTP body into messages: lines, or server-sent events, which end with an empty line. Comments and empty lines between
/// events count as messages of their own. Like <see cref="FrameReader"/>, it compares with another connection's copy rather than buffer. Owned
/// by its connection; one thread.
/// </summary>
/// <param name="events">Whether the messages are events.</param>
internal sealed class LineReader(bool events)
{
    private readonly PendingBytes _pending = new();
    private RoomFrame? _followed;
    private int _position;

    /// <summary>Passes pieces of the body to the handler, message by message.</summary>
    /// <returns>False when a message is too long, or the handler stops reading.</returns>
    public bool Read(ReadOnlySpan<byte> bytes, ILineHandler handler)
    {
        while (!bytes.IsEmpty)
        {
            int used;
            if (_followed is not null)
                used = Follow(bytes, handler);
            else if (_pending.Count > 0)
                used = Append(bytes, handler);
            else
                used = Begin(bytes, handler);
            if (used < 0)
                return false;
            bytes = bytes[used..];
        }

        return true;
    }

    /// <summary>Forgets an incomplete message.</summary>
    public void Reset()
    {
        _pending.Clear();
        _followed = null;
    }

    private int Begin(ReadOnlySpan<byte> bytes, ILineHandler handler)
    {
        _followed = handler.FindCommon(bytes);
        if (_followed is not null)
        {
            _position = 0;
            return Follow(bytes, handler);
        }

        var length = LengthOf(bytes, bytes[0]);
        if (length > 0)
            return handler.OnMessage(bytes[..length]) ? length : -1;
        _pending.Append(bytes);
        return bytes.Length;
    }

    private int Follow(ReadOnlySpan<byte> bytes, ILineHandler handler)
    {
        var rest = _followed!.Bytes.AsSpan(_position);
        var common = Math.Min(rest.Length, bytes.Length);
        if (!rest[..common].SequenceEqual(bytes[..common]))
        {
            // It is another message, which only begins with the same bytes.
            _pending.Append(_followed.Bytes.AsSpan(0, _position));
            _followed = null;
            return 0;
        }

        _position += common;
        if (_position < _followed.Bytes.Length)
            return common;

        var frame = _followed;
        Reset();
        return handler.OnKnownMessage(frame) ? common : -1;
    }

    private int Append(ReadOnlySpan<byte> bytes, ILineHandler handler)
    {
        // The end of an event may arrive in two pieces.
        var isSplitEnd = events && bytes[0] == '\n' && _pending.Bytes[^1] == '\n';
        var length = isSplitEnd ? 1 : LengthOf(bytes, _pending.Bytes[0]);
        var used = length > 0 ? length : bytes.Length;
        if (_pending.Count + (long)used > PendingBytes.Max)
            return -1;
        _pending.Append(bytes[..used]);
        if (length == 0)
            return used;

        var goesOn = handler.OnMessage(_pending.Bytes);
        Reset();
        return goesOn ? used : -1;
    }

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
