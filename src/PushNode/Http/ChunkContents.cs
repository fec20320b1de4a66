namespace PushNode.Http;

/// <summary>
/// A response's body for HTTP versions that divide it themselves: takes chunks and writes only their data. One write at a time.
/// </summary>
/// <param name="body">Gets the data; not disposed of.</param>
internal sealed class ChunkContents(Stream body) : Stream
{
    private const int LineEndLength = 2;

    private int _size;
    private int _dataLeft;
    private int _lineEndLeft;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <param name="buffer">Chunks as <see cref="Chunk"/> writes them; a write may end anywhere in one.</param>
    /// <param name="cancellationToken">Cancels the wait for the client.</param>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (NextData(ref buffer) is { IsEmpty: false } data)
            await body.WriteAsync(data, cancellationToken);
    }

    public override void Flush() => throw new NotSupportedException();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <summary>Takes everything up to the end of the next data. Returns that data, empty if there is none.</summary>
    private ReadOnlyMemory<byte> NextData(ref ReadOnlyMemory<byte> chunks)
    {
        while (!chunks.IsEmpty)
        {
            if (_dataLeft > 0)
            {
                var data = chunks[..Math.Min(_dataLeft, chunks.Length)];
                chunks = chunks[data.Length..];
                _dataLeft -= data.Length;
                _lineEndLeft = _dataLeft == 0 ? LineEndLength : 0;
                return data;
            }

            Skip(chunks.Span[0]);
            chunks = chunks[1..];
        }

        return default;
    }

    /// <summary>One byte of a size or a line end. The size of the last chunk is 0, so no data follows.</summary>
    private void Skip(byte value)
    {
        if (_lineEndLeft > 0)
            _lineEndLeft--;
        else if (value == '\n')
            (_dataLeft, _size) = (_size, 0);
        else if (value != '\r')
            _size = (_size * 16) + HexValue(value);
    }

    private static int HexValue(byte digit) => digit <= '9' ? digit - '0' : digit - 'a' + 10;
}
