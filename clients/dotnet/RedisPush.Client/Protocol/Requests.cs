using System.Buffers;
using System.Text.Json;

namespace RedisPush.Client.Protocol;

/// <summary>The messages that this client sends.</summary>
internal static class Requests
{
    public static ReadOnlyMemory<byte> Ping { get; } = """{"type":"PING","data":{}}"""u8.ToArray();

    public static ReadOnlyMemory<byte> Join(long id, string room, PushPosition? since, int? last, bool online) => Write("JOIN", id, data =>
    {
        data.WriteString("room"u8, room);
        WriteSince(data, since);
        if (last is { } count)
            data.WriteNumber("last"u8, count);
        if (online)
            data.WriteBoolean("online"u8, true);
    });

    public static ReadOnlyMemory<byte> Leave(string room) => Write("LEAVE", null, data => data.WriteString("room"u8, room));

    public static ReadOnlyMemory<byte> History(long id, string room, PushPosition? since, int? limit) => Write("HISTORY", id, data =>
    {
        data.WriteString("room"u8, room);
        WriteSince(data, since);
        if (limit is { } count)
            data.WriteNumber("limit"u8, count);
    });

    public static ReadOnlyMemory<byte> Auth(long id, string token) => Write("AUTH", id, data => data.WriteString("token"u8, token));

    /// <param name="id">The request's.</param>
    /// <param name="room">Where to.</param>
    /// <param name="item">One JSON value, which is written as it is.</param>
    public static ReadOnlyMemory<byte> Send(long id, string room, ReadOnlyMemory<byte> item) => Write("SEND", id, data =>
    {
        data.WriteString("room"u8, room);
        data.WritePropertyName("item"u8);
        data.WriteRawValue(item.Span, skipInputValidation: true);
    });

    private static void WriteSince(Utf8JsonWriter data, PushPosition? since)
    {
        if (since is not { } position)
            return;
        data.WriteStartObject("since"u8);
        data.WriteString("epoch"u8, position.Epoch);
        data.WriteNumber("offset"u8, position.Offset);
        data.WriteEndObject();
    }

    private static ReadOnlyMemory<byte> Write(string type, long? id, Action<Utf8JsonWriter> writeData)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(bytes);
        json.WriteStartObject();
        json.WriteString("type"u8, type);
        if (id is { } number)
            json.WriteNumber("id"u8, number);
        json.WriteStartObject("data"u8);
        writeData(json);
        json.WriteEndObject();
        json.WriteEndObject();
        json.Flush();
        return bytes.WrittenMemory;
    }
}
