using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace PushBackplane;

/// <summary>
/// What the names of rooms and users have in common: 1 to 128 bytes of valid UTF-8 without control characters (C0, DEL, C1) and without
/// <c>/</c>, not <c>.</c> or <c>..</c>.
/// </summary>
/// <param name="owner">Whose names, as in "a room's name".</param>
internal sealed class TopicName(string owner)
{
    /// <summary>The longest name, in bytes of UTF-8.</summary>
    public const int MaxBytes = 128;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly string _accepted = $"{owner} name is 1 to 128 bytes of UTF-8 without control characters and without '/', and not '.' or '..'";

    /// <summary>Checks an unescaped name.</summary>
    /// <param name="text">The name.</param>
    /// <param name="name">The name, when the result is true.</param>
    /// <param name="error">The problem and what is accepted, as the rest of a sentence: "is 129 bytes long; ...".</param>
    public bool TryParse(ReadOnlySpan<char> text, [NotNullWhen(true)] out string? name, [NotNullWhen(false)] out string? error)
    {
        error = TryGetUtf8(text, out var utf8) ? Problem(utf8, text) : $"is not valid Unicode; {_accepted}";
        name = error is null ? text.ToString() : null;
        return error is null;
    }

    /// <summary>Checks a name given as UTF-8 bytes.</summary>
    /// <inheritdoc cref="TryParse(ReadOnlySpan{char}, out string?, out string?)"/>
    public bool TryParse(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out string? name, [NotNullWhen(false)] out string? error)
    {
        name = null;
        if (!System.Text.Unicode.Utf8.IsValid(utf8))
        {
            error = $"is not valid UTF-8; {_accepted}";
            return false;
        }

        var text = Encoding.UTF8.GetString(utf8);
        error = Problem(utf8, text);
        name = error is null ? text : null;
        return error is null;
    }

    /// <summary>
    /// Checks a percent-encoded name from a raw request target (<paramref name="plusIsSpace"/> false) or from a query or form value (true).
    /// </summary>
    /// <inheritdoc cref="TryParse(ReadOnlySpan{char}, out string?, out string?)"/>
    /// <param name="escaped">The encoded name.</param>
    /// <param name="plusIsSpace">Whether <c>+</c> means a space.</param>
    /// <param name="name"></param>
    /// <param name="error"></param>
    public bool TryParseEscaped(
        ReadOnlySpan<char> escaped, bool plusIsSpace, [NotNullWhen(true)] out string? name, [NotNullWhen(false)] out string? error)
    {
        name = null;
        if (!TryGetUtf8(escaped, out var utf8))
        {
            error = $"is not valid Unicode; {_accepted}";
            return false;
        }

        if (!PercentDecoder.TryDecode(utf8, plusIsSpace, utf8, out var length))
        {
            error = "is not properly percent-encoded; each '%' must be followed by two hexadecimal digits";
            return false;
        }

        return TryParse(utf8.AsSpan(0, length), out name, out error);
    }

    private string? Problem(ReadOnlySpan<byte> utf8, ReadOnlySpan<char> text)
    {
        if (utf8.IsEmpty)
            return $"is empty; {_accepted}";
        if (utf8.Length > MaxBytes)
            return string.Create(CultureInfo.InvariantCulture, $"is {utf8.Length} bytes long; {_accepted}");
        if (text is "." or "..")
            return $"is '{text}'; {_accepted}";

        foreach (var c in text)
        {
            if (c == '/')
                return $"contains '/'; {_accepted}";
            if (char.IsControl(c))
                return string.Create(CultureInfo.InvariantCulture, $"contains the control character U+{(int)c:X4}; {_accepted}");
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
