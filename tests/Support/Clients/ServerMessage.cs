using System.Diagnostics;
using System.Text.Json;
using System.Text.Unicode;

namespace TestSupport.Clients;

/// <summary>One text message from the server: a JSON object with <c>type</c> and <c>data</c>.</summary>
public sealed class ServerMessage
{
    private readonly JsonElement _root;

    private ServerMessage(JsonElement root, int bytes) => (_root, Bytes) = (root, bytes);

    public string Type => _root.GetProperty("type").GetString()!;

    public JsonElement Data => _root.GetProperty("data");

    /// <summary>Null where there is none: in a broadcast.</summary>
    public string? Room => Data.TryGetProperty("room", out var room) ? room.GetString() : null;

    /// <summary>An ERROR's code.</summary>
    public string Code => Data.GetProperty("code").GetString()!;

    /// <summary>The echoed id's JSON; null where there is none.</summary>
    public string? Id => _root.TryGetProperty("id", out var id) ? id.GetRawText() : null;

    /// <summary>A PUSH's messages, byte for byte.</summary>
    public IEnumerable<string> Items => Data.GetProperty("items").EnumerateArray().Select(item => item.GetRawText());

    /// <summary>The <c>n</c> of a PUSH's numbered messages.</summary>
    public IEnumerable<int> Numbers => Data.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("n").GetInt32());

    /// <summary>The length of the frame's payload.</summary>
    public int Bytes { get; }

    /// <summary>When it was read, on the clock of <see cref="Stopwatch"/>.</summary>
    public long ReadAt { get; } = Stopwatch.GetTimestamp();

    /// <exception cref="ProtocolViolationException">Not UTF-8, not JSON, or not of the agreed form.</exception>
    public static ServerMessage Parse(byte[] payload)
    {
        if (!Utf8.IsValid(payload))
            throw new ProtocolViolationException($"A text frame that is not UTF-8: {Convert.ToHexString(payload)}");
        try
        {
            using var document = JsonDocument.Parse(payload, new JsonDocumentOptions { MaxDepth = 128 });
            var root = document.RootElement.Clone();
            if (root.GetProperty("type").ValueKind != JsonValueKind.String || root.GetProperty("data").ValueKind != JsonValueKind.Object)
                throw new ProtocolViolationException($"A message without type and data: {root}");
            return new ServerMessage(root, payload.Length);
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new ProtocolViolationException($"Not a message of the protocol ({exception.Message}): {System.Text.Encoding.UTF8.GetString(payload)}");
        }
    }

    public override string ToString() => _root.GetRawText();
}
