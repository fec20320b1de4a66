using System.Text;
using System.Text.Json;

namespace PushNode.Protocol;

/// <summary>One client message, read.</summary>
/// <param name="Type">PING, JOIN, LEAVE or something unknown; never null.</param>
/// <param name="Room">data.room as it came, to be parsed by who needs it; null when absent or not a string.</param>
/// <param name="Id">The raw JSON of the request's id, echoed in its answer; null when it has none.</param>
internal readonly record struct Request(string Type, string? Room = null, string? Id = null)
{
    /// <summary>The longest id, in bytes of JSON.</summary>
    public const int MaxIdBytes = 64;

    /// <summary>Reads a message. Unknown members are ignored.</summary>
    /// <param name="utf8">Valid UTF-8.</param>
    /// <param name="request">What it asks; when the result is false only its id, if that was readable.</param>
    /// <param name="error">The code and the text of the ERROR to answer with.</param>
    public static bool TryParse(ReadOnlySpan<byte> utf8, out Request request, out (string Code, string Message) error)
    {
        request = new Request("");
        error = default;
        var reader = new Utf8JsonReader(utf8);
        try
        {
            if (!JsonDocument.TryParseValue(ref reader, out var document))
                return Fail(ErrorCode.BadJson, "The message is empty; a message is one JSON object.", out error);
            using (document)
            {
                if (reader.BytesConsumed < utf8.Length && !utf8[(int)reader.BytesConsumed..].Trim(" \t\r\n"u8).IsEmpty)
                    return Fail(ErrorCode.BadJson, "The message goes on after its JSON object.", out error);
                return TryRead(document.RootElement, out request, out error);
            }
        }
        catch (JsonException exception)
        {
            // Expected: clients send what they like.
            return Fail(ErrorCode.BadJson, $"The message is not JSON: it breaks at byte {exception.BytePositionInLine ?? 0} of line {(exception.LineNumber ?? 0) + 1}.", out error);
        }
    }

    private static bool TryRead(JsonElement root, out Request request, out (string Code, string Message) error)
    {
        request = new Request("");
        error = default;
        if (root.ValueKind != JsonValueKind.Object)
            return Fail(ErrorCode.BadRequest, "A message is a JSON object with a type.", out error);

        string? id = null;
        if (root.TryGetProperty("id", out var idElement) && idElement.ValueKind != JsonValueKind.Null)
        {
            id = idElement.GetRawText();
            if (idElement.ValueKind is not (JsonValueKind.String or JsonValueKind.Number) || Encoding.UTF8.GetByteCount(id) > MaxIdBytes)
                return Fail(ErrorCode.BadRequest, $"An id is a string or a number of at most {MaxIdBytes} bytes.", out error);
        }

        request = new Request("", Id: id);
        if (!root.TryGetProperty("type", out var type) || type.ValueKind != JsonValueKind.String)
            return Fail(ErrorCode.BadRequest, "The message has no type; it accepts PING, JOIN and LEAVE.", out error);

        string? room = null;
        if (root.TryGetProperty("data", out var data) && data.ValueKind == JsonValueKind.Object
            && data.TryGetProperty("room", out var roomElement) && roomElement.ValueKind == JsonValueKind.String)
        {
            room = ReadString(roomElement);
        }

        request = new Request(ReadString(type), room, id);
        return true;
    }

    /// <summary>A string with a lone surrogate is JSON all the same; what it names is never valid, so that any replacement will do.</summary>
    private static string ReadString(JsonElement element)
    {
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return "\uFFFF\0";
        }
    }

    private static bool Fail(string code, string message, out (string Code, string Message) error)
    {
        error = (code, message);
        return false;
    }
}
