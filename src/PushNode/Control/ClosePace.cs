namespace PushNode.Control;

/// <summary>
/// How many clients may be told to go at this moment: a token bucket. In any time t no more than rate * (t + burst) + 1 are, however often a drain is begun anew. One thread at a time.
/// </summary>
/// <param name="burst">What may come at once, as time: it makes up for ticks that come late.</param>
/// <param name="time">Where time comes from.</param>
internal sealed class ClosePace(TimeSpan burst, TimeProvider time)
{
    private long _at;
    private double _allowed;

    /// <summary>How many may be closed now.</summary>
    /// <param name="perSecond">The rate; it may change between calls.</param>
    public int Allowed(double perSecond)
    {
        var now = time.GetTimestamp();
        // The one on top lets a rate below one in a burst close somebody at all, and keep what is over.
        _allowed = Math.Min(_allowed + (perSecond * time.GetElapsedTime(_at, now).TotalSeconds), (perSecond * burst.TotalSeconds) + 1);
        _at = now;
        return (int)_allowed;
    }

    /// <summary>So many were closed.</summary>
    public void Spend(int closed) => _allowed -= closed;
}
