namespace PushNode.Http;

/// <summary>Writes lines of JSON (application/x-ndjson), each a chunk.</summary>
internal static class LineStream
{
    /// <summary>One line; an empty one is a heartbeat.</summary>
    /// <param name="json">A JSON text; line breaks in it, which can only be space between its tokens, become spaces.</param>
    public static byte[] Line(ReadOnlySpan<byte> json) => Write(json, isLast: false);

    /// <summary>The last line, and the end of the response.</summary>
    public static byte[] End(ReadOnlySpan<byte> json) => Write(json, isLast: true);

    private static byte[] Write(ReadOnlySpan<byte> json, bool isLast) => Chunk.Write(
        json.Length + 1, json,
        static (data, json) =>
        {
            json.CopyTo(data);
            LineBreaks.Remove(data[..^1]);
            data[^1] = (byte)'\n';
        },
        isLast);
}

/// <summary>Line breaks inside JSON that has to fit on one line.</summary>
internal static class LineBreaks
{
    /// <summary>
    /// Replaces them by spaces. The meaning stays, because JSON strings have no raw control characters: a break is always between tokens.
    /// </summary>
    public static void Remove(Span<byte> json)
    {
        json.Replace((byte)'\n', (byte)' ');
        json.Replace((byte)'\r', (byte)' ');
    }
}
