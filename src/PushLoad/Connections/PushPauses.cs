namespace PushLoad.Connections;

/// <summary>The times between the PUSHes of one connection while publishing goes on. Owned by the connection; one thread.</summary>
internal sealed class PushPauses
{
    private long _gapSince;
    private long _silentSince;
    private long _longestSilence;

    /// <summary>The longest time between two PUSHes, or a JOINED and a PUSH, of one socket.</summary>
    public long LongestGap { get; private set; }

    /// <summary>Publishing begins: pauses count from here on.</summary>
    public void Begin(long now)
    {
        _gapSince = _silentSince = now;
        LongestGap = _longestSilence = 0;
    }

    public void Pushed(long now)
    {
        if (_gapSince != 0)
        {
            LongestGap = Math.Max(LongestGap, now - _gapSince);
            _longestSilence = Math.Max(_longestSilence, now - _silentSince);
        }

        _gapSince = _silentSince = now;
    }

    /// <summary>A JOINED ends a pause without counting it.</summary>
    public void Joined(long now)
    {
        if (_gapSince != 0)
            _gapSince = now;
    }

    /// <summary>The longest time between two PUSHes of any of its sockets, or from the last PUSH to the end of the publishing.</summary>
    public long LongestSilenceUntil(long end) => Math.Max(_longestSilence, end - _silentSince);
}
