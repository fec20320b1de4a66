using System.Buffers;

namespace PushNode.MessagePack;

/// <summary>
/// Bytes that grow at their end, in a rented array: a batch's MessagePack is as long as its JSON, up to a megabyte, and lives only until it
/// is copied into a frame. Belongs to one thread; <see cref="Dispose"/> returns the array.
/// </summary>
/// <param name="capacity">The expected number of bytes.</param>
internal sealed class ByteBuffer(int capacity) : IDisposable
{
    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(capacity);

    /// <summary>The number of bytes written.</summary>
    public int Length { get; private set; }

    /// <summary>The bytes written. Valid until the next write.</summary>
    public Span<byte> Written => _bytes.AsSpan(0, Length);

    /// <summary>Makes room for so many bytes. <see cref="Advance"/> then counts those that were written there.</summary>
    public Span<byte> Reserve(int count)
    {
        if (count > _bytes.Length - Length)
            Grow(count);
        return _bytes.AsSpan(Length, count);
    }

    /// <summary>Counts bytes written where <see cref="Reserve"/> made room.</summary>
    public void Advance(int count) => Length += count;

    public void Append(byte value)
    {
        Reserve(1)[0] = value;
        Length++;
    }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Reserve(bytes.Length));
        Length += bytes.Length;
    }

    /// <summary>Makes a gap at a position. The bytes after it move.</summary>
    public void Insert(int position, int count)
    {
        Reserve(count);
        _bytes.AsSpan(position, Length - position).CopyTo(_bytes.AsSpan(position + count));
        Length += count;
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = [];
    }

    private void Grow(int count)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(2 * _bytes.Length, Length + count));
        Written.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = larger;
    }
}
