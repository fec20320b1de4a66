using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace PushBackplane;

/// <summary>
/// The name of a room: 1 to 128 bytes of valid UTF-8 without control characters (C0, DEL, C1) and without <c>/</c>, not <c>.</c> or
/// <c>..</c>; compared byte by byte, without normalisation. Every room name from outside goes through one of the parsers here. The default
/// value is not a room: it equals only itself, and its name is empty.
/// </summary>
public readonly record struct RoomId
{
    /// <summary>The longest name, in bytes of UTF-8.</summary>
    public const int MaxBytes = 128;

    private const string Accepted = "a room's name is 1 to 128 bytes of UTF-8 without control characters and without '/', and not '.' or '..'";

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly string? _name;

    private RoomId(string name) => _name = name;

    /// <summary>Parses an unescaped name.</summary>
    /// <param name="text">The name.</param>
    /// <param name="room">The room, when the result is true.</param>
    /// <param name="error">
    /// The problem and what is accepted, as the rest of a sentence that begins with "room": "is 129 bytes long; ...".
    /// </param>
    public static bool TryParse(ReadOnlySpan<char> text, out RoomId room, [NotNullWhen(false)] out string? error)
    {
        room = default;
        if (!TryGetUtf8(text, out var utf8))
            error = $"is not valid Unicode; {Accepted}";
        else
            error = Problem(utf8, text);
        if (error is not null)
            return false;

        room = new RoomId(text.ToString());
        return true;
    }

    /// <summary>Parses a name given as UTF-8 bytes.</summary>
    /// <inheritdoc cref="TryParse(ReadOnlySpan{char}, out RoomId, out string?)"/>
    public static bool TryParse(ReadOnlySpan<byte> utf8, out RoomId room, [NotNullWhen(false)] out string? error)
    {
        room = default;
        if (!System.Text.Unicode.Utf8.IsValid(utf8))
        {
            error = $"is not valid UTF-8; {Accepted}";
            return false;
        }

        var name = Encoding.UTF8.GetString(utf8);
        error = Problem(utf8, name);
        if (error is not null)
            return false;

        room = new RoomId(name);
        return true;
    }

    /// <summary>
    /// Parses a percent-encoded name from a raw request target (<paramref name="plusIsSpace"/> false) or from a query or form value (true).
    /// </summary>
    /// <inheritdoc cref="TryParse(ReadOnlySpan{char}, out RoomId, out string?)"/>
    /// <param name="escaped">The encoded name.</param>
    /// <param name="plusIsSpace">Whether <c>+</c> means a space.</param>
    /// <param name="room"></param>
    /// <param name="error"></param>
    public static bool TryParseEscaped(ReadOnlySpan<char> escaped, bool plusIsSpace, out RoomId room, [NotNullWhen(false)] out string? error)
    {
        room = default;
        if (!TryGetUtf8(escaped, out var utf8))
        {
            error = $"is not valid Unicode; {Accepted}";
            return false;
        }

        if (!PercentDecoder.TryDecode(utf8, plusIsSpace, utf8, out var length))
        {
            error = "is not properly percent-encoded; each '%' must be followed by two hexadecimal digits";
            return false;
        }

        return TryParse(utf8.AsSpan(0, length), out room, out error);
    }

    /// <summary>The name.</summary>
    public override string ToString() => _name ?? "";

    private static string? Problem(ReadOnlySpan<byte> utf8, ReadOnlySpan<char> text)
    {
        if (utf8.IsEmpty)
            return $"is empty; {Accepted}";
        if (utf8.Length > MaxBytes)
            return string.Create(CultureInfo.InvariantCulture, $"is {utf8.Length} bytes long; {Accepted}");
        if (text is "." or "..")
            return $"is '{text}'; {Accepted}";

        foreach (var c in text)
        {
            if (c == '/')
                return $"contains '/'; {Accepted}";
            if (char.IsControl(c))
                return string.Create(CultureInfo.InvariantCulture, $"contains the control character U+{(int)c:X4}; {Accepted}");
        }

        return null;
    }

    private static bool TryGetUtf8(ReadOnlySpan<char> text, [NotNullWhen(true)] out byte[]? utf8)
    {
        utf8 = null;
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i]))
                continue;
            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i + 1]))
                return false;
            i++;
        }

        utf8 = new byte[StrictUtf8.GetByteCount(text)];
        StrictUtf8.GetBytes(text, utf8);
        return true;
    }
}
