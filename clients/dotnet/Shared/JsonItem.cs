using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace RedisPush.Shared;

/// <summary>The rule for messages: one JSON value of at most 64 levels in UTF-8.</summary>
internal static class JsonItem
{
    /// <summary>The deepest value that a server accepts.</summary>
    public const int MaxDepth = 64;

    /// <summary>Checks a message.</summary>
    /// <param name="utf8">The message; white space around it is allowed.</param>
    /// <param name="parameter">The name of the caller's parameter.</param>
    /// <returns>The message without the white space around it.</returns>
    /// <exception cref="ArgumentException">It is not one JSON value of at most 64 levels, or not UTF-8.</exception>
    public static ReadOnlySpan<byte> Check(ReadOnlySpan<byte> utf8, string parameter)
    {
        var json = utf8.Trim(" \t\r\n"u8);
        return Problem(json) is { } problem
            ? throw new ArgumentException($"A message is one JSON value of at most {MaxDepth} levels in UTF-8: {problem}", parameter)
            : json;
    }

    /// <summary>Text as a JSON string, in UTF-8. A lone surrogate becomes U+FFFD.</summary>
    public static byte[] OfText(string text)
    {
        var bytes = new ArrayBufferWriter<byte>(text.Length + 2);
        using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            json.WriteStringValue(text);
        return bytes.WrittenSpan.ToArray();
    }

    private static string? Problem(ReadOnlySpan<byte> json)
    {
        if (!Utf8.IsValid(json))
            return "it is not UTF-8.";
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
        try
        {
            while (reader.Read())
            {
            }

            return null;
        }
        catch (JsonException e)
        {
            // Expected: it is not JSON.
            return e.Message;
        }
    }
}
