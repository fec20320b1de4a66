using System.Globalization;
using System.Text;

namespace PushNode.MessagePack;

/// <summary>
/// Replaces the escapes of a JSON string by their characters. .NET's reader does the same, but throws at a lone surrogate.
/// </summary>
internal static class JsonEscapes
{
    /// <summary>Writes a string's text.</summary>
    /// <param name="text">The inside of a valid JSON string, in UTF-8.</param>
    /// <param name="target">Has at least the text's length, since no escape is shorter than its character.</param>
    /// <returns>The number of bytes written.</returns>
    public static int Unescape(ReadOnlySpan<byte> text, Span<byte> target)
    {
        var written = 0;
        while (true)
        {
            var plain = text.IndexOf((byte)'\\');
            var run = plain < 0 ? text : text[..plain];
            run.CopyTo(target[written..]);
            written += run.Length;
            if (plain < 0)
                return written;

            text = text[(plain + 1)..];
            if (text[0] == 'u')
            {
                written += TakeRune(ref text).EncodeToUtf8(target[written..]);
                continue;
            }

            target[written++] = text[0] switch
            {
                (byte)'b' => (byte)'\b',
                (byte)'f' => (byte)'\f',
                (byte)'n' => (byte)'\n',
                (byte)'r' => (byte)'\r',
                (byte)'t' => (byte)'\t',
                var itself => itself,
            };
            text = text[1..];
        }
    }

    /// <summary>Takes the rest of an escape whose backslash is taken, and the low surrogate that completes it.</summary>
    private static Rune TakeRune(ref ReadOnlySpan<byte> text)
    {
        var first = TakeUnit(ref text);
        if (Rune.TryCreate(first, out var rune))
            return rune;
        if (!text.StartsWith("\\u"u8))
            return Rune.ReplacementChar;

        var rest = text[1..];
        if (!Rune.TryCreate(first, TakeUnit(ref rest), out rune))
            return Rune.ReplacementChar;
        text = rest;
        return rune;
    }

    /// <summary>Takes u and four digits.</summary>
    private static char TakeUnit(ref ReadOnlySpan<byte> text)
    {
        var unit = ushort.Parse(text.Slice(1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        text = text[5..];
        return (char)unit;
    }
}
