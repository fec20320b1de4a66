using System.Buffers;

namespace PushLoad.Connections;

/// <summary>
/// Cuts one connection's bytes into frames. An incomplete frame is buffered only if no other connection has received it before; otherwise
/// the reader compares the bytes with that connection's copy and remembers its position. Owned by its connection; one thread.
/// </summary>
internal sealed class FrameReader
{
    /// <summary>No server of this protocol sends a larger frame.</summary>
    public const long MaxFrameBytes = 64 * 1024 * 1024;

    private RoomFrame? _followed;
    private byte[]? _pending;
    private int _count;

    /// <summary>Passes received bytes to the handler, frame by frame.</summary>
    /// <returns>False when they are not valid frames, or the handler stops reading.</returns>
    public bool Read(ReadOnlySpan<byte> bytes, IFrameHandler handler)
    {
        while (!bytes.IsEmpty)
        {
            int used;
            if (_followed is not null)
                used = Follow(bytes, handler);
            else if (_pending is not null)
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
        if (_pending is not null)
            ArrayPool<byte>.Shared.Return(_pending);
        _pending = null;
        _followed = null;
        _count = 0;
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
        }

        if (_followed is null)
        {
            _pending = ArrayPool<byte>.Shared.Rent(Math.Max(64, (int)header.FrameLength));
            bytes.CopyTo(_pending);
        }

        _count = bytes.Length;
        return bytes.Length;
    }

    private int Follow(ReadOnlySpan<byte> bytes, IFrameHandler handler)
    {
        var rest = _followed!.Bytes.AsSpan(_count);
        var common = Math.Min(rest.Length, bytes.Length);
        if (!rest[..common].SequenceEqual(bytes[..common]))
        {
            // It is another frame, which only begins with the same bytes.
            _pending = ArrayPool<byte>.Shared.Rent(_followed.Bytes.Length);
            _followed.Bytes.AsSpan(0, _count).CopyTo(_pending);
            _followed = null;
            return 0;
        }

        _count += common;
        if (_count < _followed.Bytes.Length)
            return common;

        var frame = _followed;
        Reset();
        return handler.OnKnownFrame(frame) ? common : -1;
    }

    private int Append(ReadOnlySpan<byte> bytes, IFrameHandler handler)
    {
        int used;
        if (!FrameHeader.TryParse(_pending.AsSpan(0, _count), out var header))
        {
            // Byte by byte until the header is complete.
            _pending![_count++] = bytes[0];
            used = 1;
            if (!FrameHeader.TryParse(_pending.AsSpan(0, _count), out header))
                return used;
        }
        else
        {
            if (_pending!.Length < header.FrameLength)
                Grow((int)header.FrameLength);
            used = (int)Math.Min(header.FrameLength - _count, bytes.Length);
            bytes[..used].CopyTo(_pending.AsSpan(_count));
            _count += used;
        }

        if (!IsAcceptable(header))
            return -1;
        if (_count < header.FrameLength)
            return used;

        var goesOn = handler.OnFrame(header, _pending.AsSpan(0, _count));
        Reset();
        return goesOn ? used : -1;
    }

    private void Grow(int size)
    {
        var larger = ArrayPool<byte>.Shared.Rent(size);
        _pending.AsSpan(0, _count).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_pending!);
        _pending = larger;
    }

    private static bool IsAcceptable(FrameHeader header) =>
        !header.IsMasked && !header.HasReservedBits && header.PayloadLength is >= 0 and <= MaxFrameBytes;
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
