using System.Buffers;

namespace PushLoad.Connections;

/// <summary>
/// The beginning of a message whose end has not arrived. Grows with what arrives and not with what the message says about its length. Owned by its
/// reader; one thread.
/// </summary>
internal sealed class PendingBytes
{
    /// <summary>No server of this protocol sends a longer message.</summary>
    public const int Max = 64 * 1024 * 1024;

    private const int SizeToStartWith = 64;

    private byte[]? _rented;

    public int Count { get; private set; }

    public ReadOnlySpan<byte> Bytes => _rented.AsSpan(0, Count);

    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (Count + bytes.Length > (_rented?.Length ?? 0))
            Grow(Count + bytes.Length);
        bytes.CopyTo(_rented.AsSpan(Count));
        Count += bytes.Length;
    }

    public void Clear()
    {
        if (_rented is not null)
            ArrayPool<byte>.Shared.Return(_rented);
        _rented = null;
        Count = 0;
    }

    private void Grow(int size)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(SizeToStartWith, (int)Math.Min(size * 2L, Array.MaxLength)));
        Bytes.CopyTo(larger);
        if (_rented is not null)
            ArrayPool<byte>.Shared.Return(_rented);
        _rented = larger;
    }
}
