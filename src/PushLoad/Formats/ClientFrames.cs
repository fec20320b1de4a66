using System.Buffers.Binary;
using System.Text;
using System.Text.Json;

namespace PushLoad.Formats;

/// <summary>
/// The frames that a client sends. The masking key is 0, which a server must accept and which leaves the bytes unchanged.
/// </summary>
internal static class ClientFrames
{
    private const int KeyBytes = 4;
    private const byte MaskBit = 0x80;

    /// <param name="type">JOIN or LEAVE.</param>
    /// <param name="room">The room's name.</param>
    public static byte[] TextRequest(string type, string room) =>
        Text($$$"""{"type":"{{{type}}}","data":{"room":"{{{JsonEncodedText.Encode(room)}}}"}}""");

    /// <summary>The same as MessagePack, in a binary frame.</summary>
    /// <param name="type">JOIN or LEAVE.</param>
    /// <param name="room">The room's name.</param>
    public static byte[] BinaryRequest(string type, string room) => Create(FrameHeader.Binary, MessagePackRequest.Create(type, room));

    public static byte[] Text(string text) => Create(FrameHeader.Text, Encoding.UTF8.GetBytes(text));

    public static byte[] Pong(ReadOnlySpan<byte> payload) => Create(FrameHeader.Pong, payload);

    public static byte[] Close(ushort code)
    {
        Span<byte> payload = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(payload, code);
        return Create(FrameHeader.Close, payload);
    }

    private static byte[] Create(byte opcode, ReadOnlySpan<byte> payload)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(payload.Length, ushort.MaxValue, nameof(payload));
        var extended = payload.Length < 126 ? 0 : 2;
        var frame = new byte[2 + extended + KeyBytes + payload.Length];
        frame[0] = (byte)(0x80 | opcode);
        frame[1] = (byte)(MaskBit | (extended == 0 ? payload.Length : 126));
        if (extended != 0)
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(2), (ushort)payload.Length);
        payload.CopyTo(frame.AsSpan(2 + extended + KeyBytes));
        return frame;
    }
}
