using System.Globalization;

namespace PushNode.Messages;

/// <summary>
/// Checks without an exception whether JsonDocument accepts a text: RFC 8259, at most 64 levels deep. .NET's reader throws, which costs 6
/// to 11 us for each bad message; a good one costs 1 us (20,000 in a loop, 2-core virtual machine).
/// </summary>
/// <param name="utf8">Valid UTF-8.</param>
internal ref struct JsonCheck(ReadOnlySpan<byte> utf8)
{
    /// <summary>JsonDocument's default; each level takes one bit of <see cref="_objects"/>.</summary>
    private const int MaxDepth = 64;

    private readonly ReadOnlySpan<byte> _text = utf8;

    /// <summary>The open containers, the innermost in the lowest bit: 1 for an object, 0 for an array.</summary>
    private ulong _objects;

    private int _depth;

    /// <summary>The position after the value, or of the first byte that is not valid.</summary>
    public int Position { get; private set; }

    /// <summary>
    /// True if a member's name, at any depth, has a lone surrogate. That is JSON, but JsonElement throws when it looks up such a name.
    /// </summary>
    public bool HasLoneSurrogateInName { get; private set; }

    private readonly byte Current => Position < _text.Length ? _text[Position] : (byte)0;

    private readonly bool IsInObject => (_objects & 1) != 0;

    /// <summary>
    /// Whether the escapes of a string, with or without its quotes, have a lone surrogate. The string must be valid JSON.
    /// </summary>
    public static bool HasLoneSurrogate(ReadOnlySpan<byte> text)
    {
        var isHigh = false;
        for (var at = 0; at < text.Length; at++)
        {
            var isEscape = text[at] == '\\';
            var unit = isEscape && text[at + 1] == 'u' ? int.Parse(text.Slice(at + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) : 0;
            var isLow = unit is >= 0xDC00 and <= 0xDFFF;
            if (isLow != isHigh)
                return true;
            isHigh = unit is >= 0xD800 and <= 0xDBFF;
            at += unit != 0 ? 5 : isEscape ? 1 : 0;
        }

        return isHigh;
    }

    /// <summary>Reads one value; ignores what follows it.</summary>
    public bool TryRead()
    {
        while (TryReadStart(out var isOpen))
        {
            // Either a container has just been opened and a value follows, or a value is complete.
            if (isOpen)
                continue;
            while (_depth > 0 && TryClose())
            {
                // The closed container is itself a complete value.
            }

            if (_depth == 0)
                return true;
            if (!TrySkip((byte)',') || (IsInObject && !TryReadName()))
                return false;
        }

        return false;
    }

    /// <summary>Reads a scalar, or the start of a container up to its first value.</summary>
    private bool TryReadStart(out bool isOpen)
    {
        isOpen = false;
        SkipSpace();
        switch (Current)
        {
            case (byte)'{' or (byte)'[':
                if (_depth == MaxDepth)
                    return false;
                _depth++;
                _objects = _objects << 1 | (Current == '{' ? 1u : 0u);
                Position++;
                isOpen = !TryClose();
                return !isOpen || !IsInObject || TryReadName();
            case (byte)'"':
                return TryReadString(out _);
            case (byte)'t':
                return TryReadWord("true"u8);
            case (byte)'f':
                return TryReadWord("false"u8);
            case (byte)'n':
                return TryReadWord("null"u8);
            default:
                return TryReadNumber();
        }
    }

    private bool TryReadName()
    {
        SkipSpace();
        if (Current != '"' || !TryReadString(out var text))
            return false;
        HasLoneSurrogateInName |= HasLoneSurrogate(text);
        return TrySkip((byte)':');
    }

    private bool TryClose()
    {
        if (!TrySkip(IsInObject ? (byte)'}' : (byte)']'))
            return false;
        _depth--;
        _objects >>= 1;
        return true;
    }

    private bool TryReadString(out ReadOnlySpan<byte> text)
    {
        var start = ++Position;
        text = default;
        for (; Position < _text.Length; Position++)
        {
            switch (_text[Position])
            {
                case (byte)'"':
                    text = _text[start..Position++];
                    return true;
                case < 0x20:
                    return false;
                case (byte)'\\' when !TryReadEscape():
                    return false;
            }
        }

        return false;
    }

    /// <summary>Moves to the escape's last character.</summary>
    private bool TryReadEscape()
    {
        Position++;
        if (Current != 'u')
            return Current is (byte)'"' or (byte)'\\' or (byte)'/' or (byte)'b' or (byte)'f' or (byte)'n' or (byte)'r' or (byte)'t';
        for (var digit = 0; digit < 4; digit++)
        {
            Position++;
            if (!char.IsAsciiHexDigit((char)Current))
                return false;
        }

        return true;
    }

    private bool TryReadWord(ReadOnlySpan<byte> word)
    {
        if (!_text[Position..].StartsWith(word))
            return false;
        Position += word.Length;
        return true;
    }

    private bool TryReadNumber()
    {
        if (Current == '-')
            Position++;
        if (Current == '0')
            Position++;
        else if (!TryReadDigits())
            return false;
        if (Current == '.')
        {
            Position++;
            if (!TryReadDigits())
                return false;
        }

        if (Current is not ((byte)'e' or (byte)'E'))
            return true;
        Position++;
        if (Current is (byte)'+' or (byte)'-')
            Position++;
        return TryReadDigits();
    }

    private bool TryReadDigits()
    {
        var start = Position;
        while (char.IsAsciiDigit((char)Current))
            Position++;
        return Position > start;
    }

    private bool TrySkip(byte expected)
    {
        SkipSpace();
        if (Current != expected)
            return false;
        Position++;
        return true;
    }

    private void SkipSpace()
    {
        while (Current is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
            Position++;
    }
}
