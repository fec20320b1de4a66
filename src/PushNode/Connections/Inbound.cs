using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Unicode;
using PushNode.Framing;

namespace PushNode.Connections;

/// <summary>
/// Turns a client's bytes into whole messages and control frames (RFC 6455, 5). Owned by one connection and touched by its reader only. Not
/// needed between messages; an incomplete frame or message is kept, never more than twice the message limit of it.
/// </summary>
/// <param name="maxMessageBytes">The largest message, all its fragments added up.</param>
internal sealed class Inbound(int maxMessageBytes)
{
    private const int MaxControlPayload = 125;

    /// <summary>An incomplete frame, with room behind it once it has grown; null when there is none.</summary>
    private byte[]? _incomplete;

    /// <summary>How much of it is there.</summary>
    private int _length;

    private List<byte>? _fragments;

    private int _frames;

    /// <summary>What the client did wrong; nothing is read from then on.</summary>
    public CloseReason? Violation { get; private set; }

    /// <summary>Whether there is nothing to remember until more bytes come.</summary>
    public bool IsIdle => _incomplete is null && _fragments is null && Violation is null;

    /// <summary>How many frames were read since the last call. Fragments count; there may be many for one message, or none.</summary>
    public int TakeFrames()
    {
        var frames = _frames;
        _frames = 0;
        return frames;
    }

    /// <summary>Puts what was kept of an incomplete frame before the new bytes.</summary>
    public Span<byte> Resume(Span<byte> bytes)
    {
        if (_incomplete is null)
            return bytes;
        // Doubled, not made as long as the frame's header says: memory is for bytes that came.
        if (_length + bytes.Length > _incomplete.Length)
            Array.Resize(ref _incomplete, Math.Max(_length + bytes.Length, 2 * _incomplete.Length));
        bytes.CopyTo(_incomplete.AsSpan(_length));
        _length += bytes.Length;
        return _incomplete.AsSpan(0, _length);
    }

    /// <summary>Keeps what is left after <see cref="TryRead"/> said there is no whole frame.</summary>
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

    /// <summary>Reads the next whole text message (fragments joined) or control frame, unmasking in place.</summary>
    /// <param name="input">What is there; what was read is cut off.</param>
    /// <param name="opcode">Text, Close, Ping or Pong.</param>
    /// <param name="payload">Valid until the next call.</param>
    /// <returns>False when more bytes are needed or the client broke a rule.</returns>
    public bool TryRead(ref Span<byte> input, out Opcode opcode, out ReadOnlySpan<byte> payload)
    {
        while (TryReadFrame(ref input, out opcode, out var final, out var data))
        {
            payload = data;
            if (opcode is Opcode.Ping or Opcode.Pong)
                return true;
            if (opcode is Opcode.Close)
                return IsValidClose(data);

            if (!final || _fragments is not null)
            {
                (_fragments ??= []).AddRange(data);
                if (!final)
                    continue;
                payload = _fragments.ToArray();
                _fragments = null;
            }

            opcode = Opcode.Text;
            return Utf8.IsValid(payload) || Violate(CloseReason.BadUtf8);
        }

        payload = default;
        return false;
    }

    private bool TryReadFrame(ref Span<byte> input, out Opcode opcode, out bool final, out Span<byte> payload)
    {
        payload = default;
        opcode = default;
        final = false;
        if (Violation is not null || input.Length < 2)
            return false;

        final = (input[0] & 0x80) != 0;
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
            return Violate(CloseReason.ProtocolError.Because("length not in its shortest form"));
        // Refused by its header alone: nothing over the limit is ever kept.
        if ((opcode & Opcode.Close) == 0 && length > (ulong)(maxMessageBytes - (_fragments?.Count ?? 0)))
            return Violate(CloseReason.TooBig.Because($"message over {maxMessageBytes} bytes"));

        var frameLength = headerLength + 4 + (int)length;
        if (input.Length < frameLength)
            return false;
        payload = input[(headerLength + 4)..frameLength];
        Unmask(payload, input.Slice(headerLength, 4));
        input = input[frameLength..];
        _frames++;
        return true;
    }

    private CloseReason? FirstBytesViolation(byte first, byte second, Opcode opcode, bool final)
    {
        if ((first & 0x70) != 0)
            return CloseReason.ProtocolError.Because("reserved bits set");
        if ((second & 0x80) == 0)
            return CloseReason.ProtocolError.Because("frame not masked");
        return opcode switch
        {
            Opcode.Text => _fragments is null ? null : CloseReason.ProtocolError.Because("new message inside a fragmented one"),
            Opcode.Continuation => _fragments is null ? CloseReason.ProtocolError.Because("continuation of nothing") : null,
            Opcode.Binary => CloseReason.Binary,
            Opcode.Close or Opcode.Ping or Opcode.Pong => final && (second & 0x7F) <= MaxControlPayload
                ? null
                : CloseReason.ProtocolError.Because("control frame fragmented or over 125 bytes"),
            _ => CloseReason.ProtocolError.Because("unknown opcode"),
        };
    }

    /// <summary>RFC 6455, 5.5.1 and 7.4: no payload, or a code that may be sent and a reason in UTF-8.</summary>
    private bool IsValidClose(ReadOnlySpan<byte> payload)
    {
        if (payload.IsEmpty)
            return true;
        var code = payload.Length < 2 ? 0 : BinaryPrimitives.ReadUInt16BigEndian(payload);
        if (code is not ((>= 1000 and <= 1003) or (>= 1007 and <= 1014) or (>= 3000 and <= 4999)))
            return Violate(CloseReason.ProtocolError.Because("bad close code"));
        return Utf8.IsValid(payload[2..]) || Violate(CloseReason.BadUtf8);
    }

    private bool Violate(CloseReason reason)
    {
        Violation = reason;
        _fragments = null;
        return false;
    }

    /// <summary>Eight bytes at a time, then the rest: the mask repeats every four.</summary>
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
