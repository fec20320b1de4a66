using System.IO.Compression;

namespace PushNode.WebSocket;

/// <summary>
/// Inflates one message (RFC 7692, 7.2.2) that was deflated without context takeover. Belongs to one call of <see cref="Inflate"/>; nothing
/// is kept between messages.
/// </summary>
internal sealed class Inflater
{
    /// <summary>
    /// The most final blocks in a message. A client whose library cannot flush in any other way sends one (RFC 7692, 7.2.3.4). Each takes a
    /// new inflater, so their number is bounded.
    /// </summary>
    private const int MaxFinalBlocks = 8;

    /// <summary>Bytes given at once while the end of a final block is looked for; then one at a time.</summary>
    private const int Step = 64;

    private static readonly Violation TooManyFinalBlocks =
        new(Violation.MessageTooBig, $"message with more than {MaxFinalBlocks} final deflate blocks");

    private readonly byte[] _deflated;
    private readonly int _maxMessageBytes;
    private byte[] _message;
    private int _length;

    private Inflater(byte[] deflated, int maxMessageBytes)
    {
        _deflated = deflated;
        _maxMessageBytes = maxMessageBytes;
        _message = new byte[Math.Min(64 + 4L * deflated.Length, maxMessageBytes + 1L)];
    }

    /// <summary>
    /// The most bytes to accept of a deflated message. The fixed code takes 9 bits for most bytes over 127 (RFC 1951, 3.2.6), so a simple
    /// deflater makes text in some languages an eighth longer.
    /// </summary>
    public static int MaxDeflatedBytes(int maxMessageBytes) => maxMessageBytes + maxMessageBytes / 8 + 64;

    /// <summary>Inflates a message.</summary>
    /// <param name="deflated">The payloads of all its frames.</param>
    /// <param name="maxMessageBytes">The longest message; inflating stops there, so a bomb takes no more memory than that.</param>
    /// <param name="message">The inflated message.</param>
    /// <returns>The rule that the client broke, or null.</returns>
    public static Violation? Inflate(byte[] deflated, int maxMessageBytes, out ReadOnlySpan<byte> message)
    {
        var inflater = new Inflater(deflated, maxMessageBytes);
        Violation? violation = null;
        try
        {
            // An empty payload is not deflate data, but some senders' flush makes nothing of nothing.
            if (deflated.Length > 0)
                violation = inflater.Read();
        }
        catch (InvalidDataException)
        {
            // Expected: it is the client's data.
            violation = Violation.BadDeflate;
        }

        message = inflater._message.AsSpan(0, inflater._length);
        return violation;
    }

    private Violation? Read()
    {
        var whole = new Source(_deflated, start: 0, first: int.MaxValue, step: Step);
        if (ReadToFinalBlock(whole) is { } violation)
            return violation;
        if (whole.IsTailRead)
            return whole.IsAtEnd ? null : Violation.BadDeflate;

        // There is a final block within the message. DeflateStream does not tell where it ends: that shows by how little it needs.
        _length = 0;
        var at = 0;
        for (var blocks = 0; at < _deflated.Length; blocks++)
        {
            if (blocks > MaxFinalBlocks)
                return TooManyFinalBlocks;
            var length = _length;
            var nearly = new Source(_deflated, at, first: Step, Step);
            if (ReadToFinalBlock(nearly) is { } later)
                return later;
            if (nearly.IsTailRead)
                return nearly.IsAtEnd ? null : Violation.BadDeflate;

            _length = length;
            var exactly = new Source(_deflated, at, first: Math.Max(1, nearly.At - Step - at), step: 1);
            if (ReadToFinalBlock(exactly) is { } last)
                return last;
            at = exactly.At;
        }

        return null;
    }

    private Violation? ReadToFinalBlock(Source source)
    {
        using var inflating = new DeflateStream(source, CompressionMode.Decompress, leaveOpen: true);
        while (true)
        {
            if (_length == _message.Length)
                Array.Resize(ref _message, (int)Math.Min(2L * _length, _maxMessageBytes + 1L));
            var count = inflating.Read(_message.AsSpan(_length));
            // What was added to the message makes no bytes, unless the message ends within a block.
            if (count > 0 && source.IsTailRead)
                return Violation.BadDeflate;
            _length += count;
            if (_length > _maxMessageBytes)
                return Violation.TooBig(_maxMessageBytes);
            if (count == 0)
                return source.IsOverread ? Violation.BadDeflate : null;
        }
    }

    /// <summary>
    /// The message, what its sender removed from its end, and an empty final block. <see cref="DeflateStream"/> takes an early end of its
    /// input for the end of the data, without an error; here it asks for more than the final block, or needs less.
    /// </summary>
    /// <param name="message">The payload.</param>
    /// <param name="start">Where to begin.</param>
    /// <param name="first">The number of bytes to give first.</param>
    /// <param name="step">The most bytes to give at once after those.</param>
    private sealed class Source(byte[] message, int start, int first, int step) : PlainStream
    {
        private const int TailLength = 4;

        private int _given;
        private int _added;

        /// <summary>The position behind what the inflater has got.</summary>
        public int At { get; private set; } = start;

        public override bool CanRead => true;

        /// <summary>The inflater has got more than the message.</summary>
        public bool IsTailRead => _added > 0;

        /// <summary>The inflater has read to the final block's end. The tail may itself be the end of one.</summary>
        public bool IsAtEnd => _added == TailLength || _added == Added.Length;

        /// <summary>The inflater has asked for more than there is.</summary>
        public bool IsOverread { get; private set; }

        private static ReadOnlySpan<byte> Added => [0x00, 0x00, 0xFF, 0xFF, 0x01, 0x00, 0x00, 0xFF, 0xFF];

        public override int Read(Span<byte> buffer)
        {
            if (At < message.Length)
            {
                var most = _given < first ? first - _given : step;
                var count = Math.Min(Math.Min(buffer.Length, most), message.Length - At);
                message.AsSpan(At, count).CopyTo(buffer);
                At += count;
                _given += count;
                return count;
            }

            if (_added == Added.Length)
            {
                IsOverread = true;
                return 0;
            }

            // One at a time, to see how many it needs.
            buffer[0] = Added[_added++];
            return 1;
        }
    }
}
