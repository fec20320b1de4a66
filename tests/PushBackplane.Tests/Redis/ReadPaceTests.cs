using System.Diagnostics;
using PushBackplane.Redis;

namespace PushBackplane.Tests.Redis;

public sealed class ReadPaceTests
{
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(20);

    private readonly ReadPace _pace = new(Gather);
    private long _now = 5 * Stopwatch.Frequency;

    [Fact]
    public void A_first_message_after_a_long_pause_is_followed_by_no_rest()
    {
        Assert.Equal(TimeSpan.Zero, After(0, 100));
        for (var i = 0; i < 3; i++)
            Assert.Equal(TimeSpan.Zero, After(40, 100));
    }

    [Fact]
    public void Messages_that_come_faster_gather()
    {
        After(0, 100);
        Assert.Equal(Gather, After(39, 100));
        Assert.Equal(Gather, After(20, 100));
        Assert.Equal(Gather, After(1, 100));
        Assert.Equal(TimeSpan.Zero, After(40, 100));
    }

    [Fact]
    public void A_rest_is_as_long_as_its_share_of_bytes_takes_to_arrive()
    {
        After(0, 100);
        Assert.Equal(Gather, After(20, ReadPace.Share));
        Assert.Equal(Gather / 2, After(20, 2 * ReadPace.Share));
        Assert.Equal(Gather / 4, After(10, 2 * ReadPace.Share));
        // The first rate again.
        Assert.Equal(Gather / 2, After(5, ReadPace.Share / 2));
        Assert.Equal(Gather, After(10, 100));
    }

    [Fact]
    public void A_flood_is_read_without_rest_until_it_is_over()
    {
        After(0, 100);
        Assert.Equal(TimeSpan.Zero, After(20, 21 * ReadPace.Share));
        // Within one period, whose rate counts only at its end.
        for (var i = 0; i < 4; i++)
            Assert.Equal(TimeSpan.Zero, After(1, 2 * ReadPace.Share));
        Assert.Equal(TimeSpan.Zero, After(1, 2 * ReadPace.Share));
        Assert.Equal(Gather, After(20, 100));
    }

    [Theory]
    [InlineData(25)]
    [InlineData(1000)]
    public void A_window_that_fills_during_each_rest_soon_ends_the_rests(int gather)
    {
        // The sender is so fast that the window is full after each rest, however short.
        var pace = new ReadPace(TimeSpan.FromMilliseconds(gather));
        pace.HadMessages(_now);
        var rest = TimeSpan.FromMilliseconds(gather);
        for (var rests = 0; rest > TimeSpan.Zero; rests++)
        {
            Assert.InRange(rests, 0, 12);
            _now += rest.Ticks * Stopwatch.Frequency / TimeSpan.TicksPerSecond;
            pace.Received(4 * ReadPace.Share);
            pace.HadMessages(_now);
            rest = pace.Next(_now);
        }
    }

    [Fact]
    public void Without_new_messages_there_is_no_rest()
    {
        After(0, 100);
        Assert.Equal(Gather, After(20, 100));
        Assert.Equal(TimeSpan.Zero, _pace.Next(_now));
        _pace.Received(100);
        Assert.Equal(TimeSpan.Zero, _pace.Next(_now));
    }

    [Fact]
    public void Without_a_gather_time_there_is_no_rest()
    {
        var pace = new ReadPace(TimeSpan.Zero);
        for (var i = 0; i < 3; i++)
        {
            pace.Received(1);
            pace.HadMessages(_now + (i / 2));
            Assert.Equal(TimeSpan.Zero, pace.Next(_now + (i / 2)));
        }
    }

    private TimeSpan After(int milliseconds, int bytes)
    {
        _now += milliseconds * Stopwatch.Frequency / 1000;
        _pace.Received(bytes);
        _pace.HadMessages(_now);
        return _pace.Next(_now);
    }
}
