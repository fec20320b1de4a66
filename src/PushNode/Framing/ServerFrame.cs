using System.Buffers.Binary;

namespace PushNode.Framing;

/// <summary>Builds the WebSocket frames a server sends: final, unmasked, with the shortest length (RFC 6455, 5.2).</summary>
internal static class ServerFrame
{
    private const byte Final = 0x80;

    /// <summary>A frame whose payload <paramref name="write"/> fills, exactly <paramref name="payloadLength"/> bytes of it.</summary>
    public static Frame Create<TState>(Opcode opcode, int payloadLength, int deliveries, long? loss, TState state, WritePayload<TState> write)
        where TState : allows ref struct
    {
        var headerLength = payloadLength switch { < 126 => 2, <= ushort.MaxValue => 4, _ => 10 };
        var bytes = GC.AllocateUninitializedArray<byte>(headerLength + payloadLength);
        bytes[0] = (byte)(Final | (byte)opcode);
        switch (headerLength)
        {
            case 2:
                bytes[1] = (byte)payloadLength;
                break;
            case 4:
                bytes[1] = 126;
                BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2), (ushort)payloadLength);
                break;
            default:
                bytes[1] = 127;
                BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(2), (ulong)payloadLength);
                break;
        }

        write(bytes.AsSpan(headerLength), state);
        return new Frame(bytes, deliveries, loss);
    }

    /// <summary>A frame with this payload.</summary>
    public static Frame Create(Opcode opcode, ReadOnlySpan<byte> payload, long? loss = 0) =>
        Create(opcode, payload.Length, deliveries: 0, loss, payload, static (target, source) => source.CopyTo(target));

    /// <summary>Fills a frame's payload.</summary>
    public delegate void WritePayload<in TState>(Span<byte> payload, TState state)
        where TState : allows ref struct;
}
