using System.Buffers.Binary;
using System.Text;

namespace TestSupport.Clients;

/// <summary>Encodes frames as a client sends them, invalid ones included (RFC 6455, section 5.2).</summary>
public static class ClientFrame
{
    private static readonly byte[] Key = [0x5A, 0xC3, 0x01, 0xFE];

    public static byte[] Text(string text) => Of(WsOpcode.Text, Encoding.UTF8.GetBytes(text));

    public static byte[] Ping(params byte[] payload) => Of(WsOpcode.Ping, payload);

    public static byte[] Close(int code, string reason = "") => Of(WsOpcode.Close, ClosePayload(code, reason));

    public static byte[] ClosePayload(int code, string reason = "") => [(byte)(code >> 8), (byte)code, .. Encoding.UTF8.GetBytes(reason)];

    /// <summary>Encodes one frame.</summary>
    /// <param name="opcode">Any four bits.</param>
    /// <param name="payload">Before masking.</param>
    /// <param name="final">FIN.</param>
    /// <param name="reserved">RSV1 is 4, RSV2 is 2, RSV3 is 1.</param>
    /// <param name="masked">False breaks the protocol.</param>
    /// <param name="lengthBytes">The size of the extended length: 0, 2 or 8; the shortest when null.</param>
    /// <param name="announcedLength">A length other than the payload's; always in 8 bytes.</param>
    public static byte[] Of(
        WsOpcode opcode, ReadOnlySpan<byte> payload, bool final = true, int reserved = 0, bool masked = true, int? lengthBytes = null, ulong? announcedLength = null)
    {
        var extended = announcedLength is null ? lengthBytes ?? payload.Length switch { < 126 => 0, <= ushort.MaxValue => 2, _ => 8 } : 8;
        var frame = new byte[2 + extended + (masked ? 4 : 0) + payload.Length];
        frame[0] = (byte)((final ? 0x80 : 0) | (reserved << 4) | (byte)opcode);
        frame[1] = (byte)((masked ? 0x80 : 0) | extended switch { 0 => payload.Length, 2 => 126, _ => 127 });
        if (extended == 2)
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(2), (ushort)payload.Length);
        else if (extended == 8)
            BinaryPrimitives.WriteUInt64BigEndian(frame.AsSpan(2), announcedLength ?? (ulong)payload.Length);
        var body = frame.AsSpan(frame.Length - payload.Length);
        payload.CopyTo(body);
        if (masked)
        {
            Key.CopyTo(frame.AsSpan(2 + extended));
            for (var i = 0; i < body.Length; i++)
                body[i] ^= Key[i % 4];
        }

        return frame;
    }
}
