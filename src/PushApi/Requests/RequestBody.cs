using PushApi.Publishing;

namespace PushApi.Requests;

/// <summary>
/// A body in memory, and its share of <see cref="PendingBytes"/>, given back when the request is answered. Belongs to one request.
/// </summary>
internal sealed class RequestBody(PendingBytes pending) : IDisposable
{
    private byte[] _buffer = [];
    private int _length;
    private long _taken;

    /// <summary>The bytes read so far.</summary>
    public Memory<byte> Bytes => _buffer.AsMemory(0, _length);

    /// <summary>Where the next bytes go.</summary>
    public Memory<byte> Free => _buffer.AsMemory(_length);

    /// <summary>So many bytes were put into <see cref="Free"/>.</summary>
    public void Advance(int count) => _length += count;

    /// <summary>Makes the buffer hold so many bytes; false when too much is pending.</summary>
    public bool TryGrow(int capacity)
    {
        if (!TryTake(capacity - _buffer.Length))
            return false;
        Array.Resize(ref _buffer, capacity);
        return true;
    }

    /// <summary>Takes a further share, for what the request needs besides its body; false when too much is pending.</summary>
    public bool TryTake(long bytes)
    {
        if (!pending.TryTake(bytes))
            return false;
        _taken += bytes;
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        pending.Release(_taken);
        _taken = 0;
    }
}
