using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace PushNode.Hooks;

/// <summary>The body of a request to the receiver (docs/hooks.md).</summary>
internal static class HookBody
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes a batch.</summary>
    /// <param name="id">The batch's id, the same in each repetition.</param>
    /// <param name="node">The node's name.</param>
    /// <param name="dropped">How many events were dropped since the batch before.</param>
    /// <param name="events">The events.</param>
    public static byte[] Write(string id, string node, long dropped, IReadOnlyList<HookEvent> events)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("id", id);
            json.WriteString("node", node);
            json.WriteNumber("dropped", dropped);
            json.WriteStartArray("events");
            foreach (var happened in events)
                Write(json, happened);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    private static void Write(Utf8JsonWriter json, in HookEvent happened)
    {
        json.WriteStartObject();
        json.WriteString("type", happened.Name);
        json.WriteNumber("time", happened.Time.ToUnixTimeMilliseconds());
        if (happened.Room is { } room)
            json.WriteString("room", room);
        if (happened.User is { } user)
            json.WriteString("user", user);
        if (!happened.Message.IsEmpty)
        {
            json.WritePropertyName("message");
            // The node has checked that it is JSON.
            json.WriteRawValue(happened.Message.Span, skipInputValidation: true);
        }
        json.WriteEndObject();
    }
}
