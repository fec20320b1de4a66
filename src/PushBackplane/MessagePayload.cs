namespace PushBackplane;

/// <summary>
/// One message as it travels: valid JSON (one value, UTF-8, at most 64 deep) passes through byte for byte, other valid UTF-8
/// becomes a JSON string, and bytes that are not UTF-8 are no message at all, not even inside a JSON string: one such byte
/// would make every browser of the room close.
/// </summary>
public static class MessagePayload
{
    /// <summary>The deepest nesting that counts as JSON.</summary>
    public const int MaxDepth = 64;

    /// <summary>Whether the bytes are one JSON value in valid UTF-8.</summary>
    public static bool IsJson(ReadOnlySpan<byte> payload) => throw new NotImplementedException();

    /// <summary>Reads a raw payload as a message.</summary>
    /// <param name="payload">What was published.</param>
    /// <param name="json">The payload itself when it is JSON, otherwise its text as a JSON string.</param>
    /// <returns>False when the payload is not valid UTF-8.</returns>
    public static bool TryReadJson(ReadOnlyMemory<byte> payload, out ReadOnlyMemory<byte> json) => throw new NotImplementedException();

    /// <summary>Encodes valid UTF-8 text as a JSON string, with no more escapes than JSON needs.</summary>
    public static byte[] EncodeText(ReadOnlySpan<byte> utf8) => throw new NotImplementedException();
}
