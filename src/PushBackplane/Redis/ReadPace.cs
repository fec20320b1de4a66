using System.Diagnostics;

namespace PushBackplane.Redis;

/// <summary>
/// When a subscriber's reader lets messages gather: while they come so often that each would wake it, and so thinly that waking costs more than what is then done. A flood
/// is read at once, since what gathers meanwhile would be too much at a time for the stages behind. Belongs to the reader's thread.
/// </summary>
/// <param name="gather"><see cref="BackplaneSettings.Gather"/>.</param>
internal sealed class ReadPace(TimeSpan gather)
{
    /// <summary>What is a flood when it comes within one time to gather: 2.6 MB a second for the 25 ms of the default.</summary>
    public const int Flood = 64 * 1024;

    private long? _lastMessage;
    private long _periodBegan;
    private int _bytes;
    private bool _isFlood;

    /// <summary>Takes note of a read that had messages.</summary>
    /// <param name="bytes">How much it was.</param>
    /// <param name="now">The time, as <see cref="Stopwatch"/> has it.</param>
    /// <returns>How long to wait before the next read.</returns>
    public TimeSpan After(int bytes, long now)
    {
        _bytes += bytes;
        if (Stopwatch.GetElapsedTime(_periodBegan, now) >= gather)
        {
            _isFlood = _bytes >= Flood;
            _bytes = 0;
            _periodBegan = now;
        }

        var isBusy = _lastMessage is { } last && Stopwatch.GetElapsedTime(last, now) < 2 * gather;
        _lastMessage = now;
        return isBusy && !_isFlood ? gather : TimeSpan.Zero;
    }
}
