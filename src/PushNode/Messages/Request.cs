using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using PushBackplane.History;
using PushNode.MessagePack;

namespace PushNode.Messages;

/// <summary>A message from a client: a request.</summary>
/// <param name="Type">PING, JOIN, LEAVE, AUTH, SEND, HISTORY, or unknown; never null.</param>
/// <param name="Room">data.room as sent, not validated; null if it is missing or not text.</param>
/// <param name="Id">The id as raw JSON, which the answer echoes; null if there is none.</param>
/// <param name="Token">data.token as sent, not verified; null if it is missing or not text.</param>
/// <param name="Item">data.item as JSON; null if it is missing.</param>
/// <param name="Online">Whether data.online is true.</param>
/// <param name="Since">data.since of a JOIN or HISTORY: the last position that the client has; null if it has none.</param>
/// <param name="Last">data.last of a JOIN: the number of messages to begin with; 0 if it is missing.</param>
/// <param name="Limit">data.limit of a HISTORY; 0 if it is missing.</param>
/// <param name="Error">The code and text of the ERROR to answer with; null if the request can be processed.</param>
internal readonly record struct Request(
    string Type, string? Room = null, string? Id = null, string? Token = null, byte[]? Item = null, bool Online = false,
    Position? Since = null, int Last = 0, int Limit = 0, (string Code, string Message)? Error = null)
{
    /// <summary>The longest id, in bytes of JSON.</summary>
    public const int MaxIdBytes = 64;

    /// <summary>Parses a message. Ignores unknown members.</summary>
    /// <param name="utf8">Valid UTF-8.</param>
    public static Request Parse(ReadOnlySpan<byte> utf8)
    {
        // Checked first, because the parser throws on bad JSON, which costs as much as ten good messages.
        var check = new JsonCheck(utf8);
        if (!check.TryRead())
            return Wrong(ErrorCode.BadJson, $"The message is not JSON: it breaks at byte {check.Position}.");
        if (!utf8[check.Position..].Trim(" \t\r\n"u8).IsEmpty)
            return Wrong(ErrorCode.BadJson, "The message goes on after its JSON object.");
        if (check.HasLoneSurrogateInName)
            return Wrong(ErrorCode.BadRequest, "A member's name has a lone surrogate.");
        var reader = new Utf8JsonReader(utf8);
        using var document = JsonDocument.ParseValue(ref reader);
        return Read(document.RootElement);
    }

    /// <summary>Parses a message in MessagePack by the rules for JSON. Ignores unknown members.</summary>
    /// <param name="packed">Any bytes.</param>
    public static Request ParseMessagePack(ReadOnlySpan<byte> packed)
    {
        using var json = new ByteBuffer(packed.Length);
        return MessagePackToJson.Write(packed, json) is { } error ? Wrong(ErrorCode.BadMessagePack, error) : Parse(json.Written);
    }

    /// <summary>A string's text; null for any other value, and for a string with a lone surrogate, which is JSON but not text.</summary>
    public static string? Text(JsonElement element) =>
        element.ValueKind == JsonValueKind.String && !JsonCheck.HasLoneSurrogate(JsonMarshal.GetRawUtf8Value(element)) ? element.GetString() : null;

    private static Request Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
            return Wrong(ErrorCode.BadRequest, "A message is a JSON object with a type.");

        string? id = null;
        if (root.TryGetProperty("id", out var idElement) && idElement.ValueKind != JsonValueKind.Null)
        {
            id = idElement.GetRawText();
            if (idElement.ValueKind is not (JsonValueKind.String or JsonValueKind.Number) || Encoding.UTF8.GetByteCount(id) > MaxIdBytes)
                return Wrong(ErrorCode.BadRequest, $"An id is a string or a number of at most {MaxIdBytes} bytes.");
        }

        if (!root.TryGetProperty("type", out var typeElement) || Text(typeElement) is not { } type)
            return Wrong(ErrorCode.BadRequest, "The type is missing or not text; it must be PING, JOIN, LEAVE, AUTH, SEND or HISTORY.", id);

        if (!root.TryGetProperty("data", out var data) || data.ValueKind != JsonValueKind.Object)
            return new Request(type, Id: id);
        var request = new Request(
            type,
            TextOf(data, "room"),
            id,
            TextOf(data, "token"),
            data.TryGetProperty("item", out var item) ? JsonMarshal.GetRawUtf8Value(item).ToArray() : null,
            data.TryGetProperty("online", out var online) && online.ValueKind == JsonValueKind.True);
        return type is "JOIN" or "HISTORY" ? request.WithPlace(data) : request;
    }

    /// <summary>Adds the place in the room's history. Only for the types that have one, since unknown members of the others may be anything.</summary>
    private Request WithPlace(JsonElement data)
    {
        if (!Place.TryReadSince(data, out var since))
            return Wrong(ErrorCode.BadPosition, $"data.since {Place.AcceptedObject}", Id);
        if (!Place.TryReadCount(data, "last", Place.MaxLast, out var last))
            return Wrong(ErrorCode.BadPosition, $"data.last {Place.AcceptedLast}", Id);
        if (!Place.TryReadCount(data, "limit", Place.MaxLimit, out var limit))
            return Wrong(ErrorCode.BadPosition, $"data.limit {Place.AcceptedLimit}", Id);
        return this with { Since = since, Last = last, Limit = limit };
    }

    private static string? TextOf(JsonElement data, string name) => data.TryGetProperty(name, out var element) ? Text(element) : null;

    private static Request Wrong(string code, string message, string? id = null) => new("", Id: id, Error: (code, message));
}
