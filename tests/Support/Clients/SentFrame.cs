using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Json;

namespace TestSupport.Clients;

/// <summary>A frame as a client reads it from what the server sent.</summary>
public sealed record SentFrame(WsOpcode Opcode, byte[] Payload)
{
    /// <summary>Whether it came deflated; <see cref="Payload"/> is inflated.</summary>
    public bool IsDeflated { get; init; }

    public string Text => Encoding.UTF8.GetString(Payload);

    /// <summary>PUSH, GAP, JOINED...; empty for a control frame.</summary>
    public string Type => Opcode == WsOpcode.Text ? Json.GetProperty("type").GetString()! : "";

    /// <summary>A push's items, or a gap's missed, or a whole text otherwise: short enough for lists in asserts.</summary>
    public string Summary => Type switch
    {
        "PUSH" => $"PUSH {Room}{Data.GetProperty("items").GetRawText()}",
        "GAP" => $"GAP {Room}{Data.GetProperty("missed").GetRawText()} {Data.GetProperty("reason").GetString()}",
        "JOINED" or "LEFT" => $"{Type} {Room}{Reason}{Id}".TrimEnd(),
        "AUTHED" or "EXPIRING" => $"{Type} {Data.GetRawText()} {Id}".TrimEnd(),
        "HISTORY" => $"HISTORY {Room}{Recovered}{Position}{Data.GetProperty("items").GetRawText()}{(Data.GetProperty("more").GetBoolean() ? " more" : "")} {Id}".TrimEnd(),
        "PONG" => $"PONG {Id}".TrimEnd(),
        "ERROR" => $"ERROR {Data.GetProperty("code").GetString()} {Id}".TrimEnd(),
        _ => Opcode == WsOpcode.Close ? $"Close {CloseCode}" : Opcode.ToString(),
    };

    /// <summary>Whether it is a GAP that belongs to no room.</summary>
    public bool IsGapOfBroadcasts => Type == "GAP" && Room.Length == 0;

    public int CloseCode => Payload.Length == 0 ? 0 : BinaryPrimitives.ReadUInt16BigEndian(Payload);

    /// <summary>A push's items by the first number in each.</summary>
    public IEnumerable<int> Numbers => Data.GetProperty("items").EnumerateArray().Select(item => item[0].GetInt32());

    /// <summary>How many messages a GAP says are missing.</summary>
    public int Missed => Data.GetProperty("missed").GetInt32();

    private JsonElement Json => JsonDocument.Parse(Payload).RootElement;

    private JsonElement Data => Json.GetProperty("data");

    private string Room => Data.TryGetProperty("room", out var room) ? room.GetString() + " " : "";

    private string Recovered => Data.TryGetProperty("recovered", out var recovered) ? $"recovered:{recovered.GetRawText()} " : "";

    private string Position => $"{Data.GetProperty("epoch").GetString()}.{Data.GetProperty("offset").GetRawText()}";

    private string Reason => Data.TryGetProperty("reason", out var reason) ? reason.GetString() + " " : "";

    private string Id => Json.TryGetProperty("id", out var id) ? id.GetRawText() : "";

    /// <summary>Reads whole frames.</summary>
    /// <param name="bytes">What was sent.</param>
    /// <param name="rest">How many bytes of an unfinished frame stand at the end.</param>
    /// <exception cref="ProtocolViolationException">The server sent what no server may send.</exception>
    public static List<SentFrame> ReadAll(ReadOnlySpan<byte> bytes, out int rest)
    {
        var frames = new List<SentFrame>();
        var buffer = new ReadOnlySequence<byte>(bytes.ToArray());
        while (TryRead(ref buffer) is { } frame)
            frames.Add(frame);
        rest = (int)buffer.Length;
        return frames;
    }

    /// <summary>Takes one whole frame off the buffer, strictly: final, no reserved bits, unmasked, the shortest length.</summary>
    /// <param name="buffer">The bytes from the server.</param>
    /// <param name="mayBeDeflated">Whether permessage-deflate was negotiated without context takeover.</param>
    /// <returns>Null when the buffer does not hold a whole frame.</returns>
    /// <exception cref="ProtocolViolationException">The server sent what no server may send.</exception>
    public static SentFrame? TryRead(ref ReadOnlySequence<byte> buffer, bool mayBeDeflated = false)
    {
        if (buffer.Length < 2)
            return null;
        Span<byte> head = stackalloc byte[10];
        var available = (int)Math.Min(buffer.Length, head.Length);
        buffer.Slice(0, available).CopyTo(head);

        var opcode = (WsOpcode)(head[0] & 0x0F);
        var isDeflated = mayBeDeflated && opcode == WsOpcode.Text && (head[0] & 0x40) != 0;
        Require((head[0] & (isDeflated ? 0x30 : 0x70)) == 0, "a reserved bit is set");
        Require((head[0] & 0x80) != 0, "a fragment: whole frames are the contract");
        Require(opcode is WsOpcode.Text or WsOpcode.Close or WsOpcode.Ping or WsOpcode.Pong, $"opcode {opcode}");
        Require((head[1] & 0x80) == 0, "masked");

        var headLength = head[1] switch { 127 => 10, 126 => 4, _ => 2 };
        if (available < headLength)
            return null;
        var length = head[1] switch
        {
            127 => BinaryPrimitives.ReadUInt64BigEndian(head[2..]),
            126 => BinaryPrimitives.ReadUInt16BigEndian(head[2..]),
            var small => small,
        };
        Require(headLength == 2 || length > (headLength == 4 ? 125UL : ushort.MaxValue), $"length {length} in {headLength - 2} bytes is not the shortest form");
        Require(opcode == WsOpcode.Text || length <= 125, $"a control frame of {length} bytes");
        Require(length < int.MaxValue, $"length {length}");
        if (buffer.Length < headLength + (long)length)
            return null;

        var payload = buffer.Slice(headLength, (int)length).ToArray();
        buffer = buffer.Slice(headLength + (int)length);
        return new SentFrame(opcode, isDeflated ? Inflate(payload) : payload) { IsDeflated = isDeflated };
    }

    private static byte[] Inflate(byte[] payload) =>
        ReferenceInflate.Message(payload) ?? throw new ProtocolViolationException($"Not deflate data: {Convert.ToHexString(payload)}");

    private static void Require(bool condition, string violation)
    {
        if (!condition)
            throw new ProtocolViolationException($"The server's frame: {violation}.");
    }
}
