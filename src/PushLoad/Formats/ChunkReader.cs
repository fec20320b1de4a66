namespace PushLoad.Formats;

/// <summary>
/// Takes the chunks off an HTTP body (RFC 9112, 7.1). Chunks say nothing about messages: a proxy may cut the body anew. Refuses trailers, which
/// no server of this protocol sends. Owned by its connection; one thread.
/// </summary>
internal sealed class ChunkReader
{
    private const int MaxSizeDigits = 8;
    private const int MaxSizeLine = 256;

    private Step _step;
    private long _size;
    private int _digits;
    private int _line;

    private enum Step
    {
        /// <summary>In the line with the size: digits, or what follows a semicolon.</summary>
        Size,
        Extension,
        SizeEnd,
        Data,
        DataReturn,
        DataEnd,
        LastReturn,
        LastEnd,
        End,
    }

    /// <summary>The last chunk has arrived.</summary>
    public bool HasEnded => _step == Step.End;

    /// <summary>Moves on to the next piece of the body.</summary>
    /// <param name="bytes">What was received; afterwards the rest of it, after the piece.</param>
    /// <param name="body">A piece of the body; empty when the bytes have no more of it.</param>
    /// <returns>False when they are not valid chunks.</returns>
    public bool TryRead(ref ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> body)
    {
        body = default;
        while (!bytes.IsEmpty)
        {
            if (_step == Step.Data)
            {
                body = bytes[..(int)Math.Min(_size, bytes.Length)];
                bytes = bytes[body.Length..];
                _size -= body.Length;
                if (_size == 0)
                    _step = Step.DataReturn;
                return true;
            }

            if (!Take(bytes[0]))
                return false;
            bytes = bytes[1..];
        }

        return true;
    }

    public void Reset()
    {
        _step = Step.Size;
        _size = _digits = _line = 0;
    }

    private bool Take(byte octet)
    {
        switch (_step)
        {
            case Step.Size when char.IsAsciiHexDigit((char)octet):
                _size = (_size * 16) + (octet <= '9' ? octet - '0' : (octet | 0x20) - 'a' + 10);
                return ++_digits <= MaxSizeDigits;
            case Step.Size when octet is (byte)';' or (byte)' ' or (byte)'\t':
                _step = Step.Extension;
                return _digits > 0;
            case Step.Extension when octet is not ((byte)'\r' or (byte)'\n'):
                return ++_line <= MaxSizeLine;
            case Step.Size or Step.Extension:
                return Follow(octet, '\r', Step.SizeEnd) && _digits > 0;
            case Step.SizeEnd:
                (_digits, _line) = (0, 0);
                return Follow(octet, '\n', _size == 0 ? Step.LastReturn : Step.Data);
            case Step.DataReturn:
                return Follow(octet, '\r', Step.DataEnd);
            case Step.DataEnd:
                return Follow(octet, '\n', Step.Size);
            case Step.LastReturn:
                return Follow(octet, '\r', Step.LastEnd);
            case Step.LastEnd:
                return Follow(octet, '\n', Step.End);
            default:
                return false;
        }
    }

    private bool Follow(byte octet, char expected, Step next)
    {
        _step = next;
        return octet == expected;
    }
}
