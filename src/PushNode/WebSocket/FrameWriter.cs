using System.Buffers.Binary;

namespace PushNode.WebSocket;

/// <summary>The opcodes of WebSocket frames (RFC 6455, 5.2).</summary>
internal enum Opcode : byte
{
    Continuation = 0x0,
    Text = 0x1,
    Binary = 0x2,
    Close = 0x8,
    Ping = 0x9,
    Pong = 0xA,
}

/// <summary>Writes the frames a server sends: final, unmasked, with the shortest length (RFC 6455, 5.2).</summary>
internal static class FrameWriter
{
    private const byte Final = 0x80;
    private const byte Deflated = 0x40;

    /// <summary>Fills a frame's payload.</summary>
    public delegate void WritePayload<in TState>(Span<byte> payload, TState state)
        where TState : allows ref struct;

    /// <summary>The payload of a frame that this class wrote.</summary>
    public static ReadOnlySpan<byte> PayloadOf(ReadOnlySpan<byte> frame) => frame[(frame[1] switch { < 126 => 2, 126 => 4, _ => 10 })..];

    /// <summary>A frame with this payload, header included.</summary>
    public static byte[] Write(Opcode opcode, ReadOnlySpan<byte> payload) => Write(Final | (int)opcode, payload);

    /// <summary>The same with RSV1 set, which says that the payload is deflated (RFC 7692, 6).</summary>
    public static byte[] WriteDeflated(Opcode opcode, ReadOnlySpan<byte> payload) => Write(Final | Deflated | (int)opcode, payload);

    /// <summary>A frame whose payload <paramref name="write"/> fills, exactly <paramref name="payloadLength"/> bytes of it.</summary>
    public static byte[] Write<TState>(Opcode opcode, int payloadLength, TState state, WritePayload<TState> write)
        where TState : allows ref struct => Write(Final | (int)opcode, payloadLength, state, write);

    private static byte[] Write(int first, ReadOnlySpan<byte> payload) =>
        Write(first, payload.Length, payload, static (target, source) => source.CopyTo(target));

    private static byte[] Write<TState>(int first, int payloadLength, TState state, WritePayload<TState> write)
        where TState : allows ref struct
    {
        var headerLength = payloadLength switch { < 126 => 2, <= ushort.MaxValue => 4, _ => 10 };
        var frame = GC.AllocateUninitializedArray<byte>(headerLength + payloadLength);
        frame[0] = (byte)first;
        switch (headerLength)
        {
            case 2:
                frame[1] = (byte)payloadLength;
                break;
            case 4:
                frame[1] = 126;
                BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(2), (ushort)payloadLength);
                break;
            default:
                frame[1] = 127;
                BinaryPrimitives.WriteUInt64BigEndian(frame.AsSpan(2), (ulong)payloadLength);
                break;
        }

        write(frame.AsSpan(headerLength), state);
        return frame;
    }
}
