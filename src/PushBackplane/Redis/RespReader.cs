using System.Buffers.Text;

namespace PushBackplane.Redis;

/// <summary>
/// Reads what Redis sends on a connection that subscribes or publishes, in RESP 2: arrays of three for messages and acknowledgements, a line for everything else.
/// Over one buffer; what is not there as a whole yet is read again with more behind it.
/// </summary>
/// <param name="bytes">What has arrived and is not read yet.</param>
internal ref struct RespReader(ReadOnlySpan<byte> bytes)
{
    /// <summary>Redis takes no longer string either (<c>proto-max-bulk-len</c>).</summary>
    private const int LongestString = 512 * 1024 * 1024;

    /// <summary>Longer than any number and any error's text.</summary>
    private const int LongestLine = 64 * 1024;

    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _at;

    /// <summary>How many bytes have been read as whole replies.</summary>
    public int Consumed { get; private set; }

    /// <summary>Reads the next reply.</summary>
    /// <param name="reply">What it says; its parts lie in the buffer.</param>
    /// <returns>False when it is not there as a whole.</returns>
    /// <exception cref="RespException">That is not Redis, or not what a subscriber is sent.</exception>
    public bool TryRead(out RespReply reply)
    {
        reply = default;
        if (!TryReadLine(out var line))
            return false;

        if (line is [(byte)'+', ..])
            reply = new RespReply { Kind = RespKind.Status };
        else if (line is [(byte)'-', ..])
            reply = new RespReply { Kind = RespKind.Error, Payload = line[1..] };
        else if (line is [(byte)':', .. var digits] && Utf8Parser.TryParse(digits, out long number, out var read) && read == digits.Length)
            reply = new RespReply { Kind = RespKind.Number, Number = number };
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
        if (!TryReadLine(out var line))
            return false;
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
