using System.Buffers.Binary;
using System.Text;

namespace PushFarm.FunctionalTests.Harness;

/// <summary>Encodes frames as a client sends them, wrong ones included (RFC 6455, section 5.2).</summary>
internal static class ClientFrame
{
    private static readonly byte[] Key = [0x37, 0xFA, 0x21, 0x3D];

    public static byte[] Text(string text) => Encode(Opcode.Text, Encoding.UTF8.GetBytes(text));

    /// <summary>A close frame's payload.</summary>
    public static byte[] ClosePayload(int code, string reason = "") => [(byte)(code >> 8), (byte)code, .. Encoding.UTF8.GetBytes(reason)];

    /// <summary>Encodes one frame.</summary>
    /// <param name="opcode">Any of 0 to 15.</param>
    /// <param name="payload">What it carries.</param>
    /// <param name="final">FIN.</param>
    /// <param name="masked">False breaks the protocol.</param>
    /// <param name="reserved">RSV1 is 4, RSV2 is 2, RSV3 is 1.</param>
    /// <param name="announcedLength">A length other than the payload's, always in the 64-bit form.</param>
    public static byte[] Encode(byte opcode, ReadOnlySpan<byte> payload, bool final = true, bool masked = true, int reserved = 0, ulong? announcedLength = null)
    {
        using var frame = new MemoryStream();
        frame.WriteByte((byte)((final ? 0x80 : 0) | (reserved << 4) | opcode));
        var mask = masked ? 0x80 : 0;
        Span<byte> length = stackalloc byte[8];
        if (announcedLength is not null || payload.Length > ushort.MaxValue)
        {
            frame.WriteByte((byte)(mask | 127));
            BinaryPrimitives.WriteUInt64BigEndian(length, announcedLength ?? (ulong)payload.Length);
            frame.Write(length);
        }
        else if (payload.Length > 125)
        {
            frame.WriteByte((byte)(mask | 126));
            BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)payload.Length);
            frame.Write(length[..2]);
        }
        else
        {
            frame.WriteByte((byte)(mask | payload.Length));
        }

        if (masked)
            frame.Write(Key);
        for (var i = 0; i < payload.Length; i++)
            frame.WriteByte(masked ? (byte)(payload[i] ^ Key[i % 4]) : payload[i]);
        return frame.ToArray();
    }
}
