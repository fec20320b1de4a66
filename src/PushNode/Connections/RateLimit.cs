namespace PushNode.Connections;

/// <summary>
/// A rate with a burst for each of many clients, by the generic cell rate algorithm (ITU-T I.371): a client's whole state is one time stamp, the moment at which its burst is whole again.
/// Immutable, any thread; the caller guards the state.
/// </summary>
internal sealed class RateLimit
{
    private readonly long _interval;
    private readonly long _burst;
    private readonly TimeProvider _time;

    /// <param name="perSecond">How many a second in the long run; above 0.</param>
    /// <param name="burst">How many at once after a pause; 1 or more.</param>
    /// <param name="time">The clock of the time stamps.</param>
    public RateLimit(double perSecond, int burst, TimeProvider time)
    {
        _time = time;
        _interval = Math.Max(1, (long)(time.TimestampFrequency / perSecond));
        _burst = _interval * burst;
    }

    /// <summary>Takes one or more, if the client has as many left.</summary>
    /// <param name="state">The client's state; 0 at first.</param>
    /// <param name="now">A time stamp.</param>
    /// <param name="count">How many to take.</param>
    /// <returns>False when the client is over its rate; nothing is taken then.</returns>
    public bool TryTake(ref long state, long now, int count = 1)
    {
        var next = Math.Max(state, now) + _interval * count;
        if (next - now > _burst)
            return false;
        state = next;
        return true;
    }

    /// <summary>How long until the client has one left; zero when it has.</summary>
    /// <param name="state">The client's state.</param>
    /// <param name="now">A time stamp.</param>
    public TimeSpan TimeToNext(long state, long now) => _time.GetElapsedTime(now, Math.Max(now, state + _interval - _burst));

    /// <summary>Whether all that was taken, by this limit or by a larger one of the same rate, is within this limit's burst.</summary>
    public bool Covers(long state, long now) => state - now <= _burst;
}
