namespace PushApi.Publishing;

/// <summary>
/// Bounds what all requests together hold in memory: bodies being read, and messages waiting for the backplane. One per process;
/// every request thread takes from it and gives back.
/// </summary>
internal sealed class PendingBytes(PushApiSettings settings)
{
    private long _taken;

    /// <summary>How much is taken now.</summary>
    public long Taken => Interlocked.Read(ref _taken);

    /// <summary>Takes so many bytes, or nothing when they do not fit.</summary>
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
