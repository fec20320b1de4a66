using PushLoad.Measurement;

namespace PushLoad.Connections;

/// <summary>How many events are due at a rate. Events not taken within a tenth of a second lapse, so no burst follows a pause.</summary>
internal sealed class Pace(double perSecond)
{
    private double _due;
    private long _last;

    /// <summary>Starts over with nothing due.</summary>
    public void Restart(long now)
    {
        _due = 0;
        _last = now;
    }

    /// <returns>Events that are due and not taken.</returns>
    public int Due(long now)
    {
        _due = Math.Min(_due + (perSecond * (now - _last) / Clock.Second), Math.Max(1, perSecond / 10));
        _last = now;
        return (int)_due;
    }

    public void Take() => _due--;
}
