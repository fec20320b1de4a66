using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using PushNode.WebSocket;

namespace PushNode.Tests;

/// <summary>A frame as a client reads it from what the server sent.</summary>
internal sealed record SentFrame(Opcode Opcode, byte[] Payload)
{
    public string Text => Encoding.UTF8.GetString(Payload);

    /// <summary>PUSH, GAP, JOINED...; empty for a control frame.</summary>
    public string Type => Opcode == Opcode.Text ? Json.GetProperty("type").GetString()! : "";

    /// <summary>A push's items, or a gap's missed, or a whole text otherwise: short enough for lists in asserts.</summary>
    public string Short => Type switch
    {
        "PUSH" => $"PUSH {Room}{Data.GetProperty("items").GetRawText()}",
        "GAP" => $"GAP {Room}{Data.GetProperty("missed").GetRawText()} {Data.GetProperty("reason").GetString()}",
        "JOINED" or "LEFT" => $"{Type} {Room}{Id}".TrimEnd(),
        "PONG" => $"PONG {Id}".TrimEnd(),
        "ERROR" => $"ERROR {Data.GetProperty("code").GetString()} {Id}".TrimEnd(),
        _ => Opcode == Opcode.Close ? $"Close {CloseCode}" : Opcode.ToString(),
    };

    public int CloseCode => Payload.Length == 0 ? 0 : BinaryPrimitives.ReadUInt16BigEndian(Payload);

    /// <summary>A push's items by the first number in each.</summary>
    public IEnumerable<int> Numbers => Data.GetProperty("items").EnumerateArray().Select(item => item[0].GetInt32());

    /// <summary>How many messages a GAP says are missing.</summary>
    public int Missed => Data.GetProperty("missed").GetInt32();

    private JsonElement Json => JsonDocument.Parse(Payload).RootElement;

    private JsonElement Data => Json.GetProperty("data");

    private string Room => Data.TryGetProperty("room", out var room) ? room.GetString() + " " : "";

    private string Id => Json.TryGetProperty("id", out var id) ? id.GetRawText() : "";

    /// <summary>Reads whole frames, strictly: final, no reserved bits, unmasked, the shortest length.</summary>
    /// <param name="bytes">What was sent.</param>
    /// <param name="rest">How many bytes of an unfinished frame stand at the end.</param>
    public static List<SentFrame> ReadAll(ReadOnlySpan<byte> bytes, out int rest)
    {
        var frames = new List<SentFrame>();
        while (bytes.Length >= 2)
        {
            Assert.Equal(0x80, bytes[0] & 0xF0);
            Assert.True(Enum.IsDefined((Opcode)(bytes[0] & 0x0F)));
            Assert.Equal(0, bytes[1] & 0x80);
            var header = bytes[1] switch { 126 => 4, 127 => 10, _ => 2 };
            if (bytes.Length < header)
                break;
            var length = header switch { 4 => BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]), 10 => (long)BinaryPrimitives.ReadUInt64BigEndian(bytes[2..]), _ => bytes[1] };
            Assert.Equal(header, length switch { < 126 => 2, <= ushort.MaxValue => 4, _ => 10 });
            if (bytes.Length < header + length)
                break;
            frames.Add(new SentFrame((Opcode)(bytes[0] & 0x0F), bytes.Slice(header, (int)length).ToArray()));
            bytes = bytes[(header + (int)length)..];
        }

        rest = bytes.Length;
        return frames;
    }
}
