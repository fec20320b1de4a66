namespace PushApi.Access;

/// <summary>
/// The rate of one key: a bucket of <c>burst</c> messages that fills at <c>perSecond</c>. Kept as the time at which it is full again (the
/// generic cell rate algorithm), so it is one number without a timer. Any thread.
/// </summary>
/// <remarks>
/// The framework's TokenBucketRateLimiter does not fit: it fills at the end of each period instead of continuously, says roughly when to retry,
/// and takes its time from the machine instead of from <see cref="TimeProvider"/>.
/// </remarks>
internal sealed class MessageRate(int perSecond, int burst, TimeProvider time)
{
    private readonly double _ticksPerMessage = (double)time.TimestampFrequency / perSecond;

    private long _fullAt = long.MinValue;

    /// <summary>Messages in a second.</summary>
    public int PerSecond => perSecond;

    /// <summary>Messages at once, after a pause.</summary>
    public int Burst => burst;

    /// <summary>Takes messages, all or none.</summary>
    /// <param name="messages">At most <see cref="Burst"/>.</param>
    /// <param name="wait">When to try again, if the result is false.</param>
    public bool TryTake(long messages, out TimeSpan wait)
    {
        wait = TimeSpan.Zero;
        while (true)
        {
            var now = time.GetTimestamp();
            var fullAt = Volatile.Read(ref _fullAt);
            var after = Math.Max(fullAt, now) + (long)(messages * _ticksPerMessage);
            var missing = after - now - (burst * _ticksPerMessage);
            if (missing > 0)
            {
                wait = TimeSpan.FromSeconds(missing / time.TimestampFrequency);
                return false;
            }
            if (Interlocked.CompareExchange(ref _fullAt, after, fullAt) == fullAt)
                return true;
        }
    }
}
