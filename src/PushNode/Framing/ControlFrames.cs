using System.Buffers.Binary;
using System.Text;

namespace PushNode.Framing;

/// <summary>The control frames a server sends (RFC 6455, 5.5).</summary>
internal static class ControlFrames
{
    public static readonly Frame Ping = ServerFrame.Create(Opcode.Ping, []);

    /// <summary>Answers a ping with the payload that it carried.</summary>
    public static Frame Pong(ReadOnlySpan<byte> pingPayload) => ServerFrame.Create(Opcode.Pong, pingPayload);

    /// <summary>Begins a close. The reason is at most 123 bytes of UTF-8.</summary>
    public static Frame Close(ushort code, string reason)
    {
        Span<byte> payload = stackalloc byte[125];
        BinaryPrimitives.WriteUInt16BigEndian(payload, code);
        return ServerFrame.Create(Opcode.Close, payload[..(2 + Encoding.UTF8.GetBytes(reason, payload[2..]))]);
    }

    /// <summary>Answers the client's close with its own code.</summary>
    public static Frame CloseEcho(ReadOnlySpan<byte> payload) => ServerFrame.Create(Opcode.Close, payload.IsEmpty ? payload : payload[..2]);
}
