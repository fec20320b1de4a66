using PushApi.Settings;

namespace PushApi.Requests;

/// <summary>
/// Limits the memory of all requests together: bodies being read, and messages that wait for the backplane. One per process; any request
/// thread.
/// </summary>
internal sealed class PendingBytes(PushApiSettings settings)
{
    private long _taken;

    /// <summary>The number of bytes in use.</summary>
    public long Taken => Interlocked.Read(ref _taken);

    /// <summary>Takes this many bytes, or nothing if they do not fit.</summary>
    public bool TryTake(long bytes)
    {
        if (Interlocked.Add(ref _taken, bytes) <= settings.MaxPendingBytes)
            return true;
        Release(bytes);
        return false;
    }

    /// <summary>Gives back what was taken.</summary>
    public void Release(long bytes) => Interlocked.Add(ref _taken, -bytes);
}

/// <summary>
/// A body in memory, and its share of <see cref="PendingBytes"/>, which is given back when the request is answered. Belongs to one request.
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

    /// <summary>Adds the first bytes of <see cref="Free"/> to <see cref="Bytes"/>.</summary>
    public void Advance(int count) => _length += count;

    /// <summary>Grows the buffer to this capacity; false when too much is pending.</summary>
    public bool TryGrow(int capacity)
    {
        if (!TryTake(capacity - _buffer.Length))
            return false;
        Array.Resize(ref _buffer, capacity);
        return true;
    }

    /// <summary>Takes more of the pending bytes, for the request's copies of messages; false when too much is pending.</summary>
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
