using System.Buffers.Binary;

namespace PushLoad.Connections;

/// <summary>The header of a WebSocket frame as a server sends it (RFC 6455, 5.2).</summary>
internal readonly record struct FrameHeader(byte Opcode, bool IsFinal, bool IsMasked, bool HasReservedBits, int Length, long PayloadLength)
{
    public const byte Continuation = 0;
    public const byte Text = 1;
    public const byte Binary = 2;
    public const byte Close = 8;
    public const byte Ping = 9;
    public const byte Pong = 10;

    public long FrameLength => Length + PayloadLength;

    public bool IsControl => Opcode >= Close;

    /// <returns>False when the header is incomplete.</returns>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out FrameHeader header)
    {
        header = default;
        if (bytes.Length < 2)
            return false;
        var length = 2;
        long payload = bytes[1] & 0x7F;
        if (payload == 126)
        {
            length = 4;
            if (bytes.Length < length)
                return false;
            payload = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        }
        else if (payload == 127)
        {
            length = 10;
            if (bytes.Length < length)
                return false;
            payload = BinaryPrimitives.ReadInt64BigEndian(bytes[2..]);
        }

        header = new FrameHeader((byte)(bytes[0] & 0x0F), (bytes[0] & 0x80) != 0, (bytes[1] & 0x80) != 0, (bytes[0] & 0x70) != 0, length, payload);
        return true;
    }
}
