using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using RedisPush.Shared;

namespace RedisPush.Publisher;

/// <summary>
/// One message: one JSON value of at most 64 levels, whose bytes clients get as they are here, except that line breaks between tokens
/// become spaces when several messages are broadcast, or published to a user, at once over HTTP. The default value is <c>null</c>.
/// </summary>
public readonly struct PushItem
{
    private readonly byte[]? _json;

    private PushItem(byte[] json) => _json = json;

    /// <summary>The JSON in UTF-8, without white space around it.</summary>
    internal ReadOnlyMemory<byte> Bytes => _json ?? "null"u8.ToArray();

    /// <summary>JSON text. It is checked here.</summary>
    /// <exception cref="ArgumentException">It is not one JSON value of at most 64 levels.</exception>
    public static PushItem Json(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        // A lone surrogate becomes U+FFFD, as everywhere in .NET.
        return Json(Encoding.UTF8.GetBytes(json));
    }

    /// <summary>JSON in UTF-8. It is checked and copied here.</summary>
    /// <exception cref="ArgumentException">It is not one JSON value of at most 64 levels, or not UTF-8.</exception>
    public static PushItem Json(ReadOnlySpan<byte> utf8) => new(JsonItem.Check(utf8, nameof(utf8)).ToArray());

    /// <summary>An object as JSON, by source-generated metadata.</summary>
    public static PushItem Of<T>(T value, JsonTypeInfo<T> type) => new(JsonSerializer.SerializeToUtf8Bytes(value, type));

    /// <summary>Text, which becomes a JSON string: <c>123</c> arrives as <c>"123"</c>.</summary>
    public static PushItem Text(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return new PushItem(JsonItem.OfText(text));
    }

    /// <summary>The JSON.</summary>
    public override string ToString() => Encoding.UTF8.GetString(Bytes.Span);
}
