using PushBackplane;

namespace PushApi.Requests;

/// <summary>
/// Reads application/x-www-form-urlencoded and decodes it in place, since decoded text is never longer. Bytes that should have been encoded
/// but are unambiguous, such as those that <c>curl -d</c> sends, are accepted as they are.
/// </summary>
internal ref struct FormReader(Memory<byte> body)
{
    private int _position;

    /// <summary>Reads the next field and skips empty ones, as between two <c>&amp;</c>.</summary>
    /// <param name="name">The decoded name, a slice of the body.</param>
    /// <param name="value">The decoded value, a slice of the body.</param>
    /// <param name="error">What is wrong with the field, or null.</param>
    /// <returns>False at the end.</returns>
    public bool TryReadField(out ReadOnlyMemory<byte> name, out ReadOnlyMemory<byte> value, out string? error)
    {
        name = value = default;
        error = null;
        while (_position < body.Length)
        {
            var start = _position;
            var length = body.Span[start..].IndexOf((byte)'&');
            var field = length < 0 ? body[start..] : body.Slice(start, length);
            _position = start + field.Length + 1;
            if (field.IsEmpty)
                continue;

            var equals = field.Span.IndexOf((byte)'=');
            var nameLength = equals < 0 ? field.Length : equals;
            var valueStart = equals < 0 ? field.Length : equals + 1;
            if (!TryDecode(field[..nameLength], out name) || !TryDecode(field[valueStart..], out value))
                error = $"The field that begins at byte {start + 1} of the form has a % without two hexadecimal digits after it; send a % itself as %25.";
            return true;
        }
        return false;
    }

    private static bool TryDecode(Memory<byte> text, out ReadOnlyMemory<byte> decoded)
    {
        var isValid = PercentDecoder.TryDecode(text.Span, plusIsSpace: true, text.Span, out var length);
        decoded = text[..length];
        return isValid;
    }
}
