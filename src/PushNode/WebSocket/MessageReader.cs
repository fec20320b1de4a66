using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Unicode;

namespace PushNode.WebSocket;

/// <summary>A rule that the client broke.</summary>
/// <param name="Code">The close code that RFC 6455, 7.4.1 gives for it.</param>
/// <param name="Text">The close frame's reason.</param>
internal sealed record Violation(ushort Code, string Text)
{
    public const ushort ProtocolError = 1002;
    public const ushort UnsupportedData = 1003;
    public const ushort InvalidPayload = 1007;
    public const ushort MessageTooBig = 1009;

    /// <summary>A deflated message that cannot be inflated.</summary>
    public static readonly Violation BadDeflate = new(InvalidPayload, "message is not valid deflate data");

    /// <summary>A message over its limit.</summary>
    public static Violation TooBig(int maxMessageBytes) => new(MessageTooBig, $"message over {maxMessageBytes} bytes");
}

/// <summary>
/// Turns a client's bytes into whole messages and control frames (RFC 6455, 5). Belongs to one connection; only its reader uses it. Keeps
/// an incomplete frame or message, at most a little more than twice the message limit; between messages a connection needs no reader.
/// </summary>
/// <param name="maxMessageBytes">The largest message, the sum of its fragments, inflated.</param>
/// <param name="acceptsBinary">Whether binary messages are read; if not, one is a violation.</param>
/// <param name="inflates">Whether messages may be deflated (RFC 7692): the client has negotiated it.</param>
internal sealed class MessageReader(int maxMessageBytes, bool acceptsBinary = false, bool inflates = false)
{
    private const int MaxControlPayload = 125;

    /// <summary>RSV1: the message that begins with this frame is deflated.</summary>
    private const int Deflated = 0x40;

    private static readonly Violation BadUtf8 = new(WebSocket.Violation.InvalidPayload, "text is not UTF-8");

    /// <summary>The start of an incomplete frame, with room to grow; null if there is none.</summary>
    private byte[]? _incomplete;

    /// <summary>How many bytes of it have arrived.</summary>
    private int _length;

    private List<byte>? _fragments;

    /// <summary>The opcode of the message that the fragments belong to.</summary>
    private Opcode _fragmented;

    /// <summary>Whether that message is deflated.</summary>
    private bool _isDeflated;

    private int _frames;

    /// <summary>The rule that the client broke; the reader stops there. Null if it broke none.</summary>
    public Violation? Violation { get; private set; }

    /// <summary>True if nothing has to be kept until more bytes arrive.</summary>
    public bool IsIdle => _incomplete is null && _fragments is null && Violation is null;

    /// <summary>
    /// The number of frames read since the last call. Each fragment counts, so a message may have many, or none since the last call.
    /// </summary>
    public int TakeFrames()
    {
        var frames = _frames;
        _frames = 0;
        return frames;
    }

    /// <summary>Joins the kept start of an incomplete frame and the new bytes.</summary>
    public Span<byte> Resume(Span<byte> bytes)
    {
        if (_incomplete is null)
            return bytes;
        // Doubled, rather than allocated by the length in the frame's header, so that only bytes that have arrived take memory.
        if (_length + bytes.Length > _incomplete.Length)
            Array.Resize(ref _incomplete, Math.Max(_length + bytes.Length, 2 * _incomplete.Length));
        bytes.CopyTo(_incomplete.AsSpan(_length));
        _length += bytes.Length;
        return _incomplete.AsSpan(0, _length);
    }

    /// <summary>Keeps the rest after <see cref="TryRead"/> found no whole frame.</summary>
    public void Keep(ReadOnlySpan<byte> rest)
    {
        if (Violation is not null || rest.IsEmpty)
        {
            _incomplete = null;
        }
        else if (_incomplete is null || rest.Length < _length)
        {
            _incomplete = rest.ToArray();
            _length = rest.Length;
        }
    }

    /// <summary>
    /// Reads the next whole message (fragments joined) or control frame. Unmasks it in place. <see cref="TryInflate"/> must follow, unless the
    /// message is not processed.
    /// </summary>
    /// <param name="input">The bytes to read; the frames read are cut off its start.</param>
    /// <param name="opcode">Text, whose payload is valid UTF-8 unless it is deflated, Binary, Close, Ping or Pong.</param>
    /// <param name="payload">Valid until the next call.</param>
    /// <returns>False if more bytes are needed or the client broke a rule.</returns>
    public bool TryRead(ref Span<byte> input, out Opcode opcode, out ReadOnlySpan<byte> payload)
    {
        while (TryReadFrame(ref input, out opcode, out var final, out var isDeflated, out var data))
        {
            payload = data;
            if (opcode is Opcode.Ping or Opcode.Pong)
                return true;
            if (opcode is Opcode.Close)
                return IsValidClose(data);

            if (!final || _fragments is not null)
            {
                if (_fragments is null)
                    (_fragmented, _isDeflated) = (opcode, isDeflated);
                (_fragments ??= []).AddRange(data);
                if (!final)
                    continue;
                (opcode, isDeflated) = (_fragmented, _isDeflated);
                payload = _fragments.ToArray();
                _fragments = null;
            }

            _isDeflated = isDeflated;
            return isDeflated || opcode == Opcode.Binary || Utf8.IsValid(payload) || Violate(BadUtf8);
        }

        payload = default;
        return false;
    }

    /// <summary>
    /// Inflates what <see cref="TryRead"/> has read, if it is a deflated message. Apart from reading, so that a message above the client's rate
    /// is refused before it costs anything.
    /// </summary>
    /// <returns>False if the client broke a rule.</returns>
    public bool TryInflate(Opcode opcode, ref ReadOnlySpan<byte> payload)
    {
        if (!_isDeflated || opcode is not (Opcode.Text or Opcode.Binary))
            return true;
        if (Inflater.Inflate(payload.ToArray(), maxMessageBytes, out payload) is { } violation)
            return Violate(violation);
        return opcode == Opcode.Binary || Utf8.IsValid(payload) || Violate(BadUtf8);
    }

    private bool TryReadFrame(ref Span<byte> input, out Opcode opcode, out bool final, out bool isDeflated, out Span<byte> payload)
    {
        payload = default;
        opcode = default;
        (final, isDeflated) = (false, false);
        if (Violation is not null || input.Length < 2)
            return false;

        final = (input[0] & 0x80) != 0;
        isDeflated = (input[0] & Deflated) != 0;
        opcode = (Opcode)(input[0] & 0x0F);
        if (FirstBytesViolation(input[0], input[1], opcode, final) is { } violation)
            return Violate(violation);

        var headerLength = (input[1] & 0x7F) switch { 126 => 4, 127 => 10, _ => 2 };
        if (input.Length < headerLength)
            return false;
        var length = headerLength switch
        {
            4 => BinaryPrimitives.ReadUInt16BigEndian(input[2..]),
            10 => BinaryPrimitives.ReadUInt64BigEndian(input[2..]),
            _ => (ulong)(input[1] & 0x7F),
        };
        if (headerLength == 4 && length < 126 || headerLength == 10 && length is <= ushort.MaxValue or > long.MaxValue)
            return Violate(ProtocolError("length not in its shortest form"));
        // Rejected by its header alone, so nothing over the limit is kept.
        var limit = isDeflated || (_isDeflated && _fragments is not null) ? Inflater.MaxDeflatedBytes(maxMessageBytes) : maxMessageBytes;
        if ((opcode & Opcode.Close) == 0 && length > (ulong)(limit - (_fragments?.Count ?? 0)))
            return Violate(WebSocket.Violation.TooBig(maxMessageBytes));

        var frameLength = headerLength + 4 + (int)length;
        if (input.Length < frameLength)
            return false;
        payload = input[(headerLength + 4)..frameLength];
        Unmask(payload, input.Slice(headerLength, 4));
        input = input[frameLength..];
        _frames++;
        return true;
    }

    private Violation? FirstBytesViolation(byte first, byte second, Opcode opcode, bool final)
    {
        var begins = opcode is Opcode.Text or Opcode.Binary;
        if ((first & (inflates && begins ? 0x70 & ~Deflated : 0x70)) != 0)
            return ProtocolError("reserved bits set");
        if ((second & 0x80) == 0)
            return ProtocolError("frame not masked");
        return opcode switch
        {
            Opcode.Binary when !acceptsBinary => new Violation(WebSocket.Violation.UnsupportedData, "text messages only"),
            _ when begins => _fragments is null ? null : ProtocolError("new message inside a fragmented one"),
            Opcode.Continuation => _fragments is null ? ProtocolError("continuation of nothing") : null,
            Opcode.Close or Opcode.Ping or Opcode.Pong => final && (second & 0x7F) <= MaxControlPayload
                ? null
                : ProtocolError("control frame fragmented or over 125 bytes"),
            _ => ProtocolError("unknown opcode"),
        };
    }

    /// <summary>RFC 6455, 5.5.1 and 7.4: no payload, or a code that a client may send and a reason in UTF-8.</summary>
    private bool IsValidClose(ReadOnlySpan<byte> payload)
    {
        if (payload.IsEmpty)
            return true;
        var code = payload.Length < 2 ? 0 : BinaryPrimitives.ReadUInt16BigEndian(payload);
        if (code is not ((>= 1000 and <= 1003) or (>= 1007 and <= 1014) or (>= 3000 and <= 4999)))
            return Violate(ProtocolError("bad close code"));
        return Utf8.IsValid(payload[2..]) || Violate(BadUtf8);
    }

    private bool Violate(Violation violation)
    {
        Violation = violation;
        _fragments = null;
        return false;
    }

    private static Violation ProtocolError(string text) => new(WebSocket.Violation.ProtocolError, text);

    /// <summary>Unmasks eight bytes at a time, then the rest; the mask repeats every four bytes.</summary>
    private static void Unmask(Span<byte> payload, ReadOnlySpan<byte> mask)
    {
        var repeated = MemoryMarshal.Read<uint>(mask) * 0x1_0000_0001UL;
        var words = MemoryMarshal.Cast<byte, ulong>(payload);
        foreach (ref var word in words)
            word ^= repeated;
        for (var i = words.Length * sizeof(ulong); i < payload.Length; i++)
            payload[i] ^= mask[i & 3];
    }
}
