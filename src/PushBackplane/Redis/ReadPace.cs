using System.Diagnostics;

namespace PushBackplane.Redis;

/// <summary>
/// How long a subscriber's reader rests while messages gather: otherwise each would wake it, and waking up costs more than handling a message.
/// The rest is as long as <see cref="Share"/> bytes take to arrive, and <see cref="BackplaneSettings.Gather"/> at most. Belongs to the reader's thread.
/// </summary>
/// <remarks>
/// A rest cannot limit throughput. While the reader rests, the sender stops when the receive window W is full, so a rest R lets W / R through. The next rest is
/// <see cref="Share"/> divided by the rate just seen: with W = 4 x <see cref="Share"/> that lets four times as much through, and so on until the sender sets the rate.
/// </remarks>
/// <param name="gather"><see cref="BackplaneSettings.Gather"/>.</param>
internal sealed class ReadPace(TimeSpan gather)
{
    /// <summary>
    /// How many bytes may arrive during one rest: a quarter of the receive window that a connection begins with on Linux (64 KB, half of <c>net.ipv4.tcp_rmem</c>'s default). It is also
    /// few enough at a time for the stages behind the reader.
    /// </summary>
    public const int Share = 16 * 1024;

    /// <summary>A shorter rest saves nothing: the timer is no finer.</summary>
    public static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(1);

    private static readonly TimeSpan ShortestPeriod = TimeSpan.FromMilliseconds(5);

    private long? _lastMessage;
    private bool _isBusy;
    private bool _isDue;
    private long _periodBegan;
    private long _bytes;
    private TimeSpan _rest;

    /// <summary>Notes what one read of the socket has brought.</summary>
    public void Received(int bytes) => _bytes += bytes;

    /// <summary>Notes that messages have been handled: a rest is due, unless they are the first after a pause.</summary>
    public void HadMessages(long now)
    {
        _isBusy = _lastMessage is { } last && Stopwatch.GetElapsedTime(last, now) < 2 * gather;
        _lastMessage = now;
        _isDue = true;
    }

    /// <summary>How long to rest before the next read of the socket, if nothing waits there. One rest at most follows what <see cref="HadMessages"/> noted.</summary>
    /// <param name="now">The time, as <see cref="Stopwatch"/> has it.</param>
    public TimeSpan Next(long now)
    {
        if (!_isDue)
            return TimeSpan.Zero;
        _isDue = false;

        // Two reads that follow each other closely say little about the rate.
        var period = Stopwatch.GetElapsedTime(_periodBegan, now);
        if (period >= ShortestPeriod || period >= gather)
        {
            // At most over Gather: messages that come at once after a pause come at a high rate.
            var rest = (period < gather ? period : gather) * ((double)Share / Math.Max(_bytes, 1));
            _rest = rest < gather ? rest : gather;
            _bytes = 0;
            _periodBegan = now;
        }

        return _isBusy && _rest >= Shortest ? _rest : TimeSpan.Zero;
    }
}
