using System.Buffers.Text;

namespace PushBackplane.Redis;

/// <summary>
/// Reads the replies of Redis on a connection that subscribes or publishes, in RESP 2: arrays of three for messages and acknowledgements, a
/// line or a string for everything else. Works on one buffer; an incomplete reply is read again when more bytes have arrived.
/// </summary>
/// <param name="bytes">The unread bytes.</param>
internal ref struct RespReader(ReadOnlySpan<byte> bytes)
{
    /// <summary>The longest string that Redis accepts too (<c>proto-max-bulk-len</c>).</summary>
    private const int LongestString = 512 * 1024 * 1024;

    /// <summary>Longer than any number or error text.</summary>
    private const int LongestLine = 64 * 1024;

    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _at;

    /// <summary>The number of bytes read as complete replies.</summary>
    public int Consumed { get; private set; }

    /// <summary>Reads the next reply.</summary>
    /// <param name="reply">The reply; its parts lie in the buffer.</param>
    /// <returns>False when the reply is incomplete.</returns>
    /// <exception cref="RespException">The bytes are not a reply that Redis sends to a subscriber or a publisher.</exception>
    public bool TryRead(out RespReply reply)
    {
        reply = default;
        if (!TryReadLine(out var line))
            return false;

        if (line is [(byte)'+', ..])
            reply = new RespReply { Kind = RespKind.Status, Payload = line[1..] };
        else if (line is [(byte)'-', ..])
            reply = new RespReply { Kind = RespKind.Error, Payload = line[1..] };
        else if (line is [(byte)':', .. var digits] && Utf8Parser.TryParse(digits, out long number, out var read) && read == digits.Length)
            reply = new RespReply { Kind = RespKind.Number, Number = number };
        else if (line is [(byte)'$', ..])
        {
            if (!TryReadBytes(line, out var text))
                return false;
            reply = new RespReply { Kind = RespKind.Status, Payload = text };
        }
        else if (!line.SequenceEqual("*3"u8))
            throw new RespException();
        else if (!TryReadArray(out reply))
            return false;

        Consumed = _at;
        return true;
    }

    private bool TryReadArray(out RespReply reply)
    {
        reply = default;
        if (!TryReadString(out var kind) || !TryReadString(out var channel))
            return false;

        if (kind.SequenceEqual("message"u8))
        {
            if (!TryReadString(out var payload))
                return false;
            reply = new RespReply { Kind = RespKind.Message, Channel = channel, Payload = payload };
            return true;
        }

        if (!TryReadLine(out var count))
            return false;
        if (count is not [(byte)':', ..])
            throw new RespException();
        reply = new RespReply { Kind = Acknowledged(kind), Channel = channel };
        return true;
    }

    private static RespKind Acknowledged(ReadOnlySpan<byte> kind) =>
        kind.SequenceEqual("subscribe"u8) ? RespKind.Subscribed : kind.SequenceEqual("unsubscribe"u8) ? RespKind.Unsubscribed : throw new RespException();

    private bool TryReadString(out ReadOnlySpan<byte> value)
    {
        value = default;
        return TryReadLine(out var line) && TryReadBytes(line, out value);
    }

    /// <summary>Reads what follows a string's length.</summary>
    private bool TryReadBytes(ReadOnlySpan<byte> line, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (line is not [(byte)'$', .. var digits] || !Utf8Parser.TryParse(digits, out int length, out var read) || read != digits.Length || length is < 0 or > LongestString)
            throw new RespException();

        var end = _at + length;
        if (_bytes.Length < end + 2)
            return false;
        if (!_bytes.Slice(end, 2).SequenceEqual("\r\n"u8))
            throw new RespException();
        value = _bytes[_at..end];
        _at = end + 2;
        return true;
    }

    private bool TryReadLine(out ReadOnlySpan<byte> line)
    {
        line = default;
        var rest = _bytes[_at..];
        var length = rest[..Math.Min(rest.Length, LongestLine)].IndexOf("\r\n"u8);
        if (length < 0)
            return rest.Length < LongestLine ? false : throw new RespException();

        line = rest[..length];
        _at += length + 2;
        return true;
    }
}

/// <summary>One reply of Redis; its parts lie in the buffer it was read from.</summary>
internal ref struct RespReply
{
    public RespKind Kind { get; init; }

    /// <summary>The channel of a message or an acknowledgement.</summary>
    public ReadOnlySpan<byte> Channel { get; init; }

    /// <summary>The reply to PUBLISH.</summary>
    public long Number { get; init; }

    /// <summary>A message's payload; the text of an error, a status or a string.</summary>
    public ReadOnlySpan<byte> Payload { get; init; }
}

/// <summary>The kinds of replies.</summary>
internal enum RespKind
{
    Status,
    Error,
    Number,
    Message,
    Subscribed,
    Unsubscribed,
}

/// <summary>The bytes that arrived are not what Redis sends.</summary>
internal sealed class RespException : Exception;
