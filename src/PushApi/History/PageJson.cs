using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using PushBackplane;

namespace PushApi.History;

/// <summary>Writes a page as the body of <c>GET /v1/rooms/{room}/messages</c>. Items keep their bytes, as in a PUSH. Stateless; any thread.</summary>
internal static class PageJson
{
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static ReadOnlyMemory<byte> Write(MessagePage page)
    {
        var bytes = new ArrayBufferWriter<byte>(256 + page.Messages.Sum(message => message.Payload.Length + 80));
        using (var json = new Utf8JsonWriter(bytes, Readable))
        {
            json.WriteStartObject();
            json.WriteString("room"u8, page.Room.ToString());
            json.WriteString("epoch"u8, page.End.Epoch);
            json.WriteNumber("offset"u8, page.End.Offset);
            json.WriteNumber("last"u8, page.Last);
            json.WriteNumber("floor"u8, page.Floor);
            if (page.IsRecovered is { } isRecovered)
                json.WriteBoolean("recovered"u8, isRecovered);
            json.WriteStartArray("messages"u8);
            foreach (var message in page.Messages)
                Write(json, message);
            json.WriteEndArray();
            json.WriteBoolean("more"u8, page.HasMore);
            json.WriteEndObject();
        }

        return bytes.WrittenMemory;
    }

    private static void Write(Utf8JsonWriter json, PageMessage message)
    {
        json.WriteStartObject();
        json.WriteNumber("offset"u8, message.Offset);
        json.WriteString("published_at"u8, message.PublishedAt.UtcDateTime);
        json.WritePropertyName("item"u8);
        // Text becomes a JSON string and what is not UTF-8 null, as for the members of the room.
        if (MessagePayload.TryReadJson(message.Payload, out var item))
            json.WriteRawValue(item.Span, skipInputValidation: true);
        else
            json.WriteNullValue();
        json.WriteEndObject();
    }
}
