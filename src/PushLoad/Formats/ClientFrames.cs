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
    /// <param name="online">Whether a JOIN asks for the number of members.</param>
    public static byte[] TextRequest(string type, string room, bool online = false) =>
        Text($$$"""{"type":"{{{type}}}","data":{"room":"{{{JsonEncodedText.Encode(room)}}}"{{{(online ? ",\"online\":true" : "")}}}}}""");

    /// <summary>A JOIN that resumes, in a text frame.</summary>
    /// <param name="room">The room's name.</param>
    /// <param name="epoch">The position's epoch.</param>
    /// <param name="offset">The position's offset.</param>
    /// <param name="online">Whether it asks for the number of members.</param>
    public static byte[] Resume(string room, string epoch, long offset, bool online)
    {
        var since = $$"""{"epoch":"{{JsonEncodedText.Encode(epoch)}}","offset":{{offset}}}""";
        return Text($$$"""{"type":"JOIN","data":{"room":"{{{JsonEncodedText.Encode(room)}}}","since":{{{since}}}{{{(online ? ",\"online\":true" : "")}}}}}""");
    }

    /// <summary>A JOIN or LEAVE as MessagePack, in a binary frame.</summary>
    /// <param name="type">JOIN or LEAVE.</param>
    /// <param name="room">The room's name.</param>
    /// <param name="online">Whether a JOIN asks for the number of members.</param>
    public static byte[] BinaryRequest(string type, string room, bool online = false) =>
        Create(FrameHeader.Binary, MessagePackRequest.Create(type, room, online));

    /// <summary>A SEND in a text frame. Connections with MessagePack send it as JSON too, which a server must accept.</summary>
    /// <param name="id">The request's number.</param>
    /// <param name="room">The room's name.</param>
    /// <param name="item">JSON.</param>
    public static byte[] Send(long id, string room, string item) =>
        Text($$$"""{"type":"SEND","id":{{{id}}},"data":{"room":"{{{JsonEncodedText.Encode(room)}}}","item":{{{item}}}}}""");

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
