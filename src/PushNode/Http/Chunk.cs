using System.Buffers.Text;

namespace PushNode.Http;

/// <summary>Writes the chunks of an HTTP/1.1 response without a length (RFC 9112, 7.1).</summary>
internal static class Chunk
{
    private static ReadOnlySpan<byte> LineEnd => "\r\n"u8;

    /// <summary>Ends the response.</summary>
    private static ReadOnlySpan<byte> Last => "0\r\n\r\n"u8;

    /// <summary>Fills a chunk's data.</summary>
    public delegate void WriteData<in TState>(Span<byte> data, TState state)
        where TState : allows ref struct;

    /// <summary>One whole chunk, whose data <paramref name="write"/> fills.</summary>
    /// <param name="length">The number of bytes of data; above 0.</param>
    /// <param name="state">Passed to <paramref name="write"/>.</param>
    /// <param name="write">Fills the data.</param>
    /// <param name="isLast">Whether the response ends after it.</param>
    public static byte[] Write<TState>(int length, TState state, WriteData<TState> write, bool isLast = false)
        where TState : allows ref struct
    {
        Span<byte> size = stackalloc byte[8];
        Utf8Formatter.TryFormat(length, size, out var digits, 'x');
        var data = digits + LineEnd.Length;
        var chunk = GC.AllocateUninitializedArray<byte>(data + length + LineEnd.Length + (isLast ? Last.Length : 0));
        size[..digits].CopyTo(chunk);
        LineEnd.CopyTo(chunk.AsSpan(digits));
        write(chunk.AsSpan(data, length), state);
        LineEnd.CopyTo(chunk.AsSpan(data + length));
        if (isLast)
            Last.CopyTo(chunk.AsSpan(data + length + LineEnd.Length));
        return chunk;
    }
}
