using PushLoad.Measurement;

namespace PushLoad.Connections;

/// <summary>Says how many events are due at a rate. What was not taken within a tenth of a second is forgone: a pause is not followed by a rush.</summary>
internal sealed class Pace(double perSecond)
{
    private double _due;
    private long _last;

    /// <summary>Begins anew, with nothing due.</summary>
    public void Restart(long now)
    {
        _due = 0;
        _last = now;
    }

    /// <returns>How many are due and not taken yet.</returns>
    public int Due(long now)
    {
        _due = Math.Min(_due + (perSecond * (now - _last) / Clock.Second), Math.Max(1, perSecond / 10));
        _last = now;
        return (int)_due;
    }

    public void Take() => _due--;
}
