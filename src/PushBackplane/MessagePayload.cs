using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;

namespace PushBackplane;

/// <summary>
/// Reads one message's payload. Valid JSON (one value, UTF-8, at most 64 deep) passes through byte for byte, and other valid UTF-8 becomes
/// a JSON string. Bytes that are not UTF-8 are refused, even inside a JSON string: one such byte would make every browser in the room close
/// its connection.
/// </summary>
/// <remarks>
/// JSON means a JSON text of RFC 8259, without extensions. Two corner cases: JSON has no byte order mark, so a payload that begins with one
/// is text and keeps it; an escaped lone surrogate (<c>"\ud800"</c>) is JSON, and harmless on the wire because the escape is ASCII.
/// </remarks>
public static class MessagePayload
{
    /// <summary>The deepest nesting that counts as JSON.</summary>
    public const int MaxDepth = 64;

    private static readonly SearchValues<byte> Whitespace = SearchValues.Create(" \t\r\n"u8);
    private static readonly SearchValues<byte> JsonStart = SearchValues.Create("{[\"-0123456789tfn"u8);
    private static readonly SearchValues<byte> MustEscape = SearchValues.Create([.. Enumerable.Range(0, 0x20).Select(b => (byte)b), (byte)'"', (byte)'\\']);

    /// <summary>Whether the bytes are one JSON value in valid UTF-8.</summary>
    public static bool IsJson(ReadOnlySpan<byte> payload) => Utf8.IsValid(payload) && IsJsonText(payload);

    /// <summary>Reads a raw payload as a message. Allocates nothing when the payload is JSON.</summary>
    /// <param name="payload">The published payload.</param>
    /// <param name="json">The payload itself when it is JSON, otherwise its text as a JSON string.</param>
    /// <returns>False when the payload is not valid UTF-8.</returns>
    public static bool TryReadJson(ReadOnlyMemory<byte> payload, out ReadOnlyMemory<byte> json)
    {
        // Checked separately, because Utf8JsonReader does not check the bytes inside strings.
        if (!Utf8.IsValid(payload.Span))
        {
            json = default;
            return false;
        }

        json = IsJsonText(payload.Span) ? payload : EncodeText(payload.Span);
        return true;
    }

    /// <summary>Encodes valid UTF-8 text as a JSON string, with only the escapes that JSON requires.</summary>
    public static byte[] EncodeText(ReadOnlySpan<byte> utf8)
    {
        var json = new byte[EncodedLength(utf8)];
        EncodeText(utf8, json);
        return json;
    }

    /// <summary>Encodes valid UTF-8 text as a JSON string into a buffer of exactly <see cref="EncodedLength"/> bytes.</summary>
    public static void EncodeText(ReadOnlySpan<byte> utf8, Span<byte> json)
    {
        var written = 0;
        json[written++] = (byte)'"';
        while (true)
        {
            var plain = utf8.IndexOfAny(MustEscape);
            var run = plain < 0 ? utf8 : utf8[..plain];
            run.CopyTo(json[written..]);
            written += run.Length;
            if (plain < 0)
                break;

            written += WriteEscape(utf8[plain], json[written..]);
            utf8 = utf8[(plain + 1)..];
        }

        json[written] = (byte)'"';
    }

    /// <summary>The number of bytes of a text as a JSON string, with its quotes.</summary>
    public static int EncodedLength(ReadOnlySpan<byte> utf8)
    {
        var length = utf8.Length + 2;
        while (true)
        {
            var plain = utf8.IndexOfAny(MustEscape);
            if (plain < 0)
                return length;

            length += ShortEscape(utf8[plain]) == 0 ? 5 : 1;
            utf8 = utf8[(plain + 1)..];
        }
    }

    private static bool IsJsonText(ReadOnlySpan<byte> utf8)
    {
        // The first byte identifies most plain text and so avoids an exception from the reader.
        var start = utf8.IndexOfAnyExcept(Whitespace);
        if (start < 0 || !JsonStart.Contains(utf8[start]))
            return false;

        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = MaxDepth });
        try
        {
            while (reader.Read())
            {
            }

            return true;
        }
        catch (JsonException)
        {
            // Expected: the text only begins like JSON, and the reader throws.
            return false;
        }
    }

    private static int WriteEscape(byte value, Span<byte> destination)
    {
        destination[0] = (byte)'\\';
        var letter = ShortEscape(value);
        if (letter != 0)
        {
            destination[1] = letter;
            return 2;
        }

        "u00"u8.CopyTo(destination[1..]);
        destination[4] = (byte)('0' + (value >> 4));
        destination[5] = "0123456789abcdef"u8[value & 0xF];
        return 6;
    }

    /// <summary>The letter of a character's short JSON escape (the n of \n); 0 if it has none.</summary>
    private static byte ShortEscape(byte value) => value switch
    {
        (byte)'"' => (byte)'"',
        (byte)'\\' => (byte)'\\',
        (byte)'\b' => (byte)'b',
        (byte)'\f' => (byte)'f',
        (byte)'\n' => (byte)'n',
        (byte)'\r' => (byte)'r',
        (byte)'\t' => (byte)'t',
        _ => 0,
    };
}
