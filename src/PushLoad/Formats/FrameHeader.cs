using System.Buffers.Binary;

namespace PushLoad.Formats;

/// <summary>The header of a WebSocket frame as a server sends it (RFC 6455, 5.2).</summary>
/// <param name="Opcode">One of the constants below.</param>
/// <param name="IsFinal">Whether it ends its message.</param>
/// <param name="IsMasked">Whether its payload is masked.</param>
/// <param name="IsDeflated">RSV1: the message is deflated (RFC 7692, 7.2.3).</param>
/// <param name="HasReservedBits">RSV2 or RSV3.</param>
/// <param name="Length">Bytes of the header.</param>
/// <param name="PayloadLength">Bytes of the payload.</param>
internal readonly record struct FrameHeader(
    byte Opcode, bool IsFinal, bool IsMasked, bool IsDeflated, bool HasReservedBits, int Length, long PayloadLength)
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

        var (first, isMasked) = (bytes[0], (bytes[1] & 0x80) != 0);
        header = new FrameHeader((byte)(first & 0x0F), (first & 0x80) != 0, isMasked, (first & 0x40) != 0, (first & 0x30) != 0, length, payload);
        return true;
    }
}
