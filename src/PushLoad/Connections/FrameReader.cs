using PushLoad.Formats;

namespace PushLoad.Connections;

/// <summary>
/// Cuts one connection's bytes into WebSocket frames. An incomplete frame is buffered only if no other connection has received it before;
/// otherwise the reader compares the bytes with that connection's copy and remembers its position. Owned by its connection; one thread.
/// </summary>
/// <param name="deflates">Whether permessage-deflate was negotiated.</param>
internal sealed class FrameReader(bool deflates)
{
    private readonly PendingBytes _pending = new();
    private RoomFrame? _followed;
    private int _position;

    /// <summary>Passes received bytes to the handler, frame by frame.</summary>
    /// <returns>False when they are not valid frames, or the handler stops reading.</returns>
    public bool Read(ReadOnlySpan<byte> bytes, IFrameHandler handler)
    {
        while (!bytes.IsEmpty)
        {
            int used;
            if (_followed is not null)
                used = Follow(bytes, handler);
            else if (_pending.Count > 0)
                used = Append(bytes, handler);
            else
                used = Whole(bytes, handler);
            if (used < 0)
                return false;
            bytes = bytes[used..];
        }

        return true;
    }

    /// <summary>Forgets an incomplete frame.</summary>
    public void Reset()
    {
        _pending.Clear();
        _followed = null;
    }

    private int Whole(ReadOnlySpan<byte> bytes, IFrameHandler handler)
    {
        if (FrameHeader.TryParse(bytes, out var header))
        {
            if (!IsAcceptable(header))
                return -1;
            if (bytes.Length >= header.FrameLength)
                return handler.OnFrame(header, bytes[..(int)header.FrameLength]) ? (int)header.FrameLength : -1;
            _followed = handler.FindFrame(bytes);
            _position = bytes.Length;
        }

        if (_followed is null)
            _pending.Append(bytes);
        return bytes.Length;
    }

    private int Follow(ReadOnlySpan<byte> bytes, IFrameHandler handler)
    {
        var rest = _followed!.Bytes.AsSpan(_position);
        var common = Math.Min(rest.Length, bytes.Length);
        if (!rest[..common].SequenceEqual(bytes[..common]))
        {
            // It is another frame, which only begins with the same bytes.
            _pending.Append(_followed.Bytes.AsSpan(0, _position));
            _followed = null;
            return 0;
        }

        _position += common;
        if (_position < _followed.Bytes.Length)
            return common;

        var frame = _followed;
        Reset();
        return handler.OnKnownFrame(frame) ? common : -1;
    }

    private int Append(ReadOnlySpan<byte> bytes, IFrameHandler handler)
    {
        int used;
        if (!FrameHeader.TryParse(_pending.Bytes, out var header))
        {
            // Byte by byte until the header is complete.
            _pending.Append(bytes[..1]);
            used = 1;
            if (!FrameHeader.TryParse(_pending.Bytes, out header))
                return used;
        }
        else
        {
            used = (int)Math.Min(header.FrameLength - _pending.Count, bytes.Length);
            _pending.Append(bytes[..used]);
        }

        if (!IsAcceptable(header))
            return -1;
        if (_pending.Count < header.FrameLength)
            return used;

        var goesOn = handler.OnFrame(header, _pending.Bytes);
        Reset();
        return goesOn ? used : -1;
    }

    private bool IsAcceptable(FrameHeader header) =>
        !header.IsMasked && !header.HasReservedBits && header.PayloadLength is >= 0 and <= PendingBytes.Max
        // RFC 7692, 6.1: only the first frame of a data message says that the message is deflated.
        && (!header.IsDeflated || (deflates && header.Opcode is FrameHeader.Text or FrameHeader.Binary));
}

/// <summary>
/// Receives the frames of a <see cref="FrameReader"/>. The two methods that take a frame return whether to continue reading.
/// </summary>
internal interface IFrameHandler
{
    /// <summary>A complete frame; the bytes are valid during the call only.</summary>
    bool OnFrame(FrameHeader header, ReadOnlySpan<byte> frame);

    /// <summary>A frame with exactly the bytes of one that another connection has received.</summary>
    bool OnKnownFrame(RoomFrame frame);

    /// <summary>A frame that another connection has received and that begins with these bytes; null when there is none.</summary>
    RoomFrame? FindFrame(ReadOnlySpan<byte> beginning);
}
