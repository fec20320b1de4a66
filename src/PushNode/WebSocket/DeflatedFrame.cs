using System.Buffers;
using System.IO.Compression;

namespace PushNode.WebSocket;

/// <summary>
/// Deflates a payload into a whole frame (RFC 7692, 7.2.1), without context takeover, so that all connections can send the same bytes.
/// Stateless; any thread.
/// </summary>
internal static class DeflatedFrame
{
    /// <summary>What a flush ends with, 00 00 FF FF; the receiver adds it again.</summary>
    private const int TailLength = 4;

    /// <summary>A final frame with the payload deflated, header included; null if it would not be shorter than the plain frame.</summary>
    /// <param name="opcode">Text or Binary.</param>
    /// <param name="payload">Not deflated.</param>
    /// <param name="level">zlib's level, 1 to 9.</param>
    public static byte[]? TryWrite(Opcode opcode, ReadOnlySpan<byte> payload, int level)
    {
        if (payload.IsEmpty)
            return null;
        // A pooled buffer saves an array as long as the payload: on the large object heap from 85 KB on.
        var buffer = ArrayPool<byte>.Shared.Rent(payload.Length + TailLength);
        try
        {
            using var target = new Target(buffer);
            // A deflater costs 3 us and 264 bytes of garbage (its 300 KB are zlib's, not the heap's), so pooling it would gain little.
            using var deflater = new DeflateStream(target, new ZLibCompressionOptions { CompressionLevel = level }, leaveOpen: true);
            deflater.Write(payload);
            // A flush ends in an empty block that is not final. Disposing would add a final one, which is not sent.
            deflater.Flush();
            var length = target.Written - TailLength;
            return length < payload.Length ? FrameWriter.WriteDeflated(opcode, buffer.AsSpan(0, (int)length)) : null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Keeps what fits into the buffer, and counts all.</summary>
    private sealed class Target(byte[] buffer) : PlainStream
    {
        public long Written { get; private set; }

        public override bool CanWrite => true;

        public override void Write(ReadOnlySpan<byte> bytes)
        {
            if (Written + bytes.Length <= buffer.Length)
                bytes.CopyTo(buffer.AsSpan((int)Written));
            Written += bytes.Length;
        }
    }
}
