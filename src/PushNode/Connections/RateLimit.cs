namespace PushNode.Connections;

/// <summary>
/// A rate limit with a burst for many clients, by the generic cell rate algorithm (ITU-T I.371): a client's state is one time stamp, the
/// time at which its whole burst is available again. Immutable; any thread. The caller guards the state.
/// </summary>
internal sealed class RateLimit
{
    private readonly long _interval;
    private readonly long _burst;
    private readonly TimeProvider _time;

    /// <param name="perSecond">The average rate; above 0.</param>
    /// <param name="burst">The number allowed at once after a pause; 1 or more.</param>
    /// <param name="time">The clock of the time stamps.</param>
    public RateLimit(double perSecond, int burst, TimeProvider time)
    {
        _time = time;
        _interval = Math.Max(1, (long)(time.TimestampFrequency / perSecond));
        _burst = _interval * burst;
    }

    /// <summary>Takes from the client's allowance.</summary>
    /// <param name="state">The client's state; 0 at first.</param>
    /// <param name="now">A time stamp.</param>
    /// <param name="count">The number to take.</param>
    /// <returns>False, with nothing taken, if the client is over its rate.</returns>
    public bool TryTake(ref long state, long now, int count = 1)
    {
        var next = Math.Max(state, now) + _interval * count;
        if (next - now > _burst)
            return false;
        state = next;
        return true;
    }

    /// <summary>Gives one back that was taken just now.</summary>
    public void Return(ref long state) => state -= _interval;

    /// <summary>The time until the client may take so many; zero if it may now.</summary>
    /// <param name="state">The client's state.</param>
    /// <param name="now">A time stamp.</param>
    /// <param name="count">The number to take.</param>
    public TimeSpan TimeToNext(long state, long now, int count = 1) =>
        _time.GetElapsedTime(now, Math.Max(now, state + _interval * count - _burst));

    /// <summary>
    /// Whether everything taken so far, through this limit or one with the same rate and a larger burst, is within this limit's burst.
    /// </summary>
    public bool Covers(long state, long now) => state - now <= _burst;
}
