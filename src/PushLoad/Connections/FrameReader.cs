using PushLoad.Formats;

namespace PushLoad.Connections;

/// <summary>Cuts one connection's bytes into WebSocket frames. Owned by its connection; one thread.</summary>
/// <param name="deflates">Whether permessage-deflate was negotiated.</param>
internal sealed class FrameReader(bool deflates) : FollowingReader<IFrameHandler>
{
    protected override int Begin(ReadOnlySpan<byte> bytes, IFrameHandler handler)
    {
        if (FrameHeader.TryParse(bytes, out var header))
        {
            if (!IsAcceptable(header))
                return -1;
            if (bytes.Length >= header.FrameLength)
                return handler.OnFrame(header, bytes[..(int)header.FrameLength]) ? (int)header.FrameLength : -1;
            if (handler.FindFrame(bytes) is { } frame)
            {
                Follow(frame, bytes.Length);
                return bytes.Length;
            }
        }

        Pending.Append(bytes);
        return bytes.Length;
    }

    protected override int Append(ReadOnlySpan<byte> bytes, IFrameHandler handler)
    {
        int used;
        if (!FrameHeader.TryParse(Pending.Bytes, out var header))
        {
            // Byte by byte until the header is complete.
            Pending.Append(bytes[..1]);
            used = 1;
            if (!FrameHeader.TryParse(Pending.Bytes, out header))
                return used;
        }
        else
        {
            used = (int)Math.Min(header.FrameLength - Pending.Count, bytes.Length);
            Pending.Append(bytes[..used]);
        }

        if (!IsAcceptable(header))
            return -1;
        if (Pending.Count < header.FrameLength)
            return used;

        var goesOn = handler.OnFrame(header, Pending.Bytes);
        Reset();
        return goesOn ? used : -1;
    }

    protected override bool OnKnown(RoomFrame frame, IFrameHandler handler) => handler.OnKnownFrame(frame);

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
