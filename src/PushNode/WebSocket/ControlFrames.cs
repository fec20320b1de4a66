using System.Buffers.Binary;
using System.Text;

namespace PushNode.WebSocket;

/// <summary>The control frames a server sends (RFC 6455, 5.5), header included.</summary>
internal static class ControlFrames
{
    public static byte[] Ping() => FrameWriter.Write(Opcode.Ping, []);

    /// <summary>Answers a ping with the ping's payload.</summary>
    public static byte[] Pong(ReadOnlySpan<byte> pingPayload) => FrameWriter.Write(Opcode.Pong, pingPayload);

    /// <summary>Starts the closing handshake. The reason is at most 123 bytes of UTF-8.</summary>
    public static byte[] Close(ushort code, string reason)
    {
        Span<byte> payload = stackalloc byte[125];
        BinaryPrimitives.WriteUInt16BigEndian(payload, code);
        return FrameWriter.Write(Opcode.Close, payload[..(2 + Encoding.UTF8.GetBytes(reason, payload[2..]))]);
    }

    /// <summary>Answers the client's close frame with its own code.</summary>
    public static byte[] CloseEcho(ReadOnlySpan<byte> payload) => FrameWriter.Write(Opcode.Close, payload.IsEmpty ? payload : payload[..2]);
}
