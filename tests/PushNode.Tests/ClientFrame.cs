using System.Buffers.Binary;
using System.Text;
using PushNode.WebSocket;

namespace PushNode.Tests;

/// <summary>Builds the bytes of a client's frame, right or wrong in any way.</summary>
internal static class ClientFrame
{
    public static byte[] Text(string text) => Of(Opcode.Text, Encoding.UTF8.GetBytes(text));

    public static byte[] Ping(params byte[] payload) => Of(Opcode.Ping, payload);

    public static byte[] Close(int code, string reason = "")
    {
        byte[] payload = [0, 0, .. Encoding.UTF8.GetBytes(reason)];
        BinaryPrimitives.WriteUInt16BigEndian(payload, (ushort)code);
        return Of(Opcode.Close, payload);
    }

    /// <param name="opcode">Any four bits.</param>
    /// <param name="payload">Before masking.</param>
    /// <param name="final">The first bit.</param>
    /// <param name="reserved">The three bits after it.</param>
    /// <param name="masked">Whether it is masked.</param>
    /// <param name="lengthBytes">How many bytes the length takes after the first: 0, 2 or 8; the shortest when null.</param>
    public static byte[] Of(Opcode opcode, ReadOnlySpan<byte> payload, bool final = true, int reserved = 0, bool masked = true, int? lengthBytes = null)
    {
        var extended = lengthBytes ?? payload.Length switch { < 126 => 0, <= ushort.MaxValue => 2, _ => 8 };
        var frame = new byte[2 + extended + (masked ? 4 : 0) + payload.Length];
        frame[0] = (byte)((final ? 0x80 : 0) | (reserved << 4) | (byte)opcode);
        frame[1] = (byte)((masked ? 0x80 : 0) | extended switch { 0 => payload.Length, 2 => 126, _ => 127 });
        if (extended == 2)
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(2), (ushort)payload.Length);
        else if (extended == 8)
            BinaryPrimitives.WriteUInt64BigEndian(frame.AsSpan(2), (ulong)payload.Length);
        var body = frame.AsSpan(frame.Length - payload.Length);
        payload.CopyTo(body);
        if (masked)
        {
            byte[] mask = [0x5A, 0xC3, 0x01, 0xFE];
            mask.CopyTo(frame.AsSpan(2 + extended));
            for (var i = 0; i < body.Length; i++)
                body[i] ^= mask[i % 4];
        }

        return frame;
    }
}
