using System.Buffers;
using System.Globalization;
using System.Text;

namespace TestSupport.Clients;

/// <summary>Reads the chunks of a response, strictly: no extensions, no trailers (RFC 9112, 7.1).</summary>
public static class HttpChunks
{
    private const int MaxSizeLine = 10;

    /// <summary>Takes one whole chunk off the buffer.</summary>
    /// <returns>Its data, empty for the last chunk; null when the buffer does not hold a whole chunk.</returns>
    /// <exception cref="ProtocolViolationException">It is not a chunk.</exception>
    public static byte[]? TryRead(ref ReadOnlySequence<byte> buffer)
    {
        var reader = new SequenceReader<byte>(buffer);
        if (!reader.TryReadTo(out ReadOnlySequence<byte> line, "\r\n"u8))
            return buffer.Length <= MaxSizeLine ? null : throw new ProtocolViolationException("A chunk without a size.");
        var text = Encoding.ASCII.GetString(line);
        if (!int.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var size))
            throw new ProtocolViolationException($"A chunk of the size '{text}'.");
        if (reader.Remaining < size + 2)
            return null;
        var data = reader.UnreadSequence.Slice(0, size).ToArray();
        reader.Advance(size);
        if (!reader.IsNext("\r\n"u8, advancePast: true))
            throw new ProtocolViolationException($"A chunk of {size} bytes does not end where it should.");
        buffer = reader.UnreadSequence;
        return data;
    }

    /// <summary>Reads all chunks as text, which must end with a whole one.</summary>
    /// <param name="bytes">What was sent.</param>
    /// <param name="isComplete">Whether the last chunk has come, and nothing after it.</param>
    public static List<string> ReadAll(byte[] bytes, out bool isComplete)
    {
        var chunks = new List<string>();
        isComplete = false;
        var buffer = new ReadOnlySequence<byte>(bytes);
        while (!isComplete && TryRead(ref buffer) is { } data)
        {
            if (data.Length == 0)
                isComplete = true;
            else
                chunks.Add(Encoding.UTF8.GetString(data));
        }

        return buffer.IsEmpty ? chunks : throw new ProtocolViolationException($"{buffer.Length} bytes are left: {Encoding.UTF8.GetString(buffer)}");
    }
}
