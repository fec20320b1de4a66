using System.Buffers;
using System.Net.Http.Headers;
using System.Text.Json;

namespace RedisPush.Publisher.Http;

/// <summary>One publish as the API wants it; made once, sent as often as it takes.</summary>
internal sealed class PublishRequest
{
    private const string Json = "application/json";
    private const string Lines = "application/x-ndjson";

    private readonly string _path;
    private readonly string _contentType;
    private readonly ReadOnlyMemory<byte> _body;

    private PublishRequest(string path, string contentType, ReadOnlyMemory<byte> body) => (_path, _contentType, _body) = (path, contentType, body);

    /// <summary>Whether it publishes to several rooms, which may be on several Redis servers.</summary>
    public bool SeveralRooms { get; private init; }

    public static PublishRequest ToRoom(string room, IReadOnlyList<PushItem> items) =>
        items.Count == 1 ? new PublishRequest($"/v1/rooms/{Uri.EscapeDataString(room)}/messages", Json, items[0].Bytes) : ToRooms([room], items);

    public static PublishRequest ToUser(string user, IReadOnlyList<PushItem> items) => To($"/v1/users/{Uri.EscapeDataString(user)}/messages", items);

    public static PublishRequest ToAll(IReadOnlyList<PushItem> items) => To("/v1/broadcast", items);

    public static PublishRequest ToRooms(IReadOnlyList<string> rooms, IReadOnlyList<PushItem> items)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteStartArray("rooms"u8);
            foreach (var room in rooms)
                json.WriteStringValue(room);
            json.WriteEndArray();
            json.WriteStartArray("items"u8);
            foreach (var item in items)
                json.WriteRawValue(item.Bytes.Span, skipInputValidation: true);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return new PublishRequest("/v1/messages", Json, bytes.WrittenMemory) { SeveralRooms = rooms.Count > 1 };
    }

    /// <summary>A request: a message can be sent only once.</summary>
    /// <param name="url">The API's.</param>
    /// <param name="apiKey">The publisher's key; null without one.</param>
    /// <param name="key">The idempotency key; null without one.</param>
    public HttpRequestMessage ToMessage(string url, string? apiKey, string? key)
    {
        var content = new ReadOnlyMemoryContent(_body) { Headers = { ContentType = new MediaTypeHeaderValue(_contentType) } };
        var message = new HttpRequestMessage(HttpMethod.Post, new Uri(url + _path)) { Content = content };
        if (apiKey is not null)
            message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", apiKey);
        if (key is not null)
            message.Headers.Add("Idempotency-Key", key);
        return message;
    }

    private static PublishRequest To(string path, IReadOnlyList<PushItem> items) =>
        items.Count == 1 ? new PublishRequest(path, Json, items[0].Bytes) : new PublishRequest(path, Lines, OnLines(items));

    /// <summary>One item on each line. A line break inside an item stands between tokens, where a space means the same.</summary>
    private static byte[] OnLines(IReadOnlyList<PushItem> items)
    {
        var lines = new byte[items.Sum(item => item.Bytes.Length + 1)];
        var rest = lines.AsSpan();
        foreach (var item in items)
        {
            var line = rest[..item.Bytes.Length];
            item.Bytes.Span.CopyTo(line);
            line.Replace((byte)'\n', (byte)' ');
            line.Replace((byte)'\r', (byte)' ');
            rest[line.Length] = (byte)'\n';
            rest = rest[(line.Length + 1)..];
        }

        return lines;
    }
}
