using System.Buffers;

namespace PushBackplane;

/// <summary>
/// Percent-decoding to bytes (RFC 3986, section 2.1; with <c>plusIsSpace</c> the form variant of the URL standard, section 5.1). Strict: a
/// <c>%</c> without two hexadecimal digits is an error. Does not check whether the bytes are UTF-8.
/// </summary>
public static class PercentDecoder
{
    private static readonly SearchValues<byte> PercentOnly = SearchValues.Create("%"u8);
    private static readonly SearchValues<byte> PercentAndPlus = SearchValues.Create("%+"u8);

    /// <summary>Decodes escapes and copies all other bytes.</summary>
    /// <param name="escaped">The encoded bytes.</param>
    /// <param name="plusIsSpace">Whether <c>+</c> stands for a space, as in query and form values.</param>
    /// <param name="destination">At least as long as <paramref name="escaped"/>; may be the same memory.</param>
    /// <param name="written">The number of decoded bytes.</param>
    /// <returns>False when an escape is malformed.</returns>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is too short.</exception>
    public static bool TryDecode(ReadOnlySpan<byte> escaped, bool plusIsSpace, Span<byte> destination, out int written)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(destination.Length, escaped.Length, nameof(destination));

        var special = plusIsSpace ? PercentAndPlus : PercentOnly;
        written = 0;
        while (true)
        {
            var plain = escaped.IndexOfAny(special);
            var run = plain < 0 ? escaped : escaped[..plain];
            run.CopyTo(destination[written..]);
            written += run.Length;
            if (plain < 0)
                return true;

            escaped = escaped[plain..];
            if (escaped[0] == '+')
            {
                destination[written++] = (byte)' ';
                escaped = escaped[1..];
                continue;
            }

            if (escaped.Length < 3 || !char.IsAsciiHexDigit((char)escaped[1]) || !char.IsAsciiHexDigit((char)escaped[2]))
                return false;

            destination[written++] = (byte)((HexValue(escaped[1]) << 4) | HexValue(escaped[2]));
            escaped = escaped[3..];
        }
    }

    private static int HexValue(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}
