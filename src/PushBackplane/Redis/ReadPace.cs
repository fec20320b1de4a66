using System.Diagnostics;

namespace PushBackplane.Redis;

/// <summary>
/// Computes how long a subscriber connection's reader rests while messages gather. Without a rest, each message would wake the reader, and
/// a wake-up costs more than handling a message. A rest is as long as <see cref="Share"/> bytes take to arrive, and at most
/// <see cref="BackplaneSettings.Gather"/>. Belongs to the reader's thread.
/// </summary>
/// <remarks>
/// A rest cannot limit throughput. While the reader rests, the sender stops when the receive window W is full, so a rest R lets W / R
/// through. The next rest is <see cref="Share"/> divided by the measured rate: with W = 4 x <see cref="Share"/> that lets four times as
/// much through, and so on until the sender sets the rate.
/// </remarks>
/// <param name="gather"><see cref="BackplaneSettings.Gather"/>.</param>
internal sealed class ReadPace(TimeSpan gather)
{
    /// <summary>
    /// The number of bytes that may arrive during one rest: a quarter of the receive window that a connection begins with on Linux (64 KB,
    /// half of <c>net.ipv4.tcp_rmem</c>'s default). It is also a small enough batch for the stages behind the reader.
    /// </summary>
    public const int Share = 16 * 1024;

    /// <summary>The timer's resolution; a shorter rest saves nothing.</summary>
    public static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(1);

    private static readonly TimeSpan ShortestPeriod = TimeSpan.FromMilliseconds(5);

    private long? _lastMessage;
    private bool _isBusy;
    private bool _isDue;
    private long _periodBegan;
    private long _bytes;
    private TimeSpan _rest;

    /// <summary>Counts the bytes of one read of the socket.</summary>
    public void Received(int bytes) => _bytes += bytes;

    /// <summary>Records that messages have been handled: a rest is due, unless they are the first after a pause.</summary>
    public void HadMessages(long now)
    {
        _isBusy = _lastMessage is { } last && Stopwatch.GetElapsedTime(last, now) < 2 * gather;
        _lastMessage = now;
        _isDue = true;
    }

    /// <summary>
    /// How long to rest before the next read of the socket, if it has no data. One call of <see cref="HadMessages"/> allows one rest at
    /// most.
    /// </summary>
    /// <param name="now">A time stamp of <see cref="Stopwatch"/>.</param>
    public TimeSpan Next(long now)
    {
        if (!_isDue)
            return TimeSpan.Zero;
        _isDue = false;

        // The rate over a shorter period would be inaccurate.
        var period = Stopwatch.GetElapsedTime(_periodBegan, now);
        if (period >= ShortestPeriod || period >= gather)
        {
            // Over at most Gather: messages that arrive together after a pause have a high rate.
            var rest = (period < gather ? period : gather) * ((double)Share / Math.Max(_bytes, 1));
            _rest = rest < gather ? rest : gather;
            _bytes = 0;
            _periodBegan = now;
        }

        return _isBusy && _rest >= Shortest ? _rest : TimeSpan.Zero;
    }
}
