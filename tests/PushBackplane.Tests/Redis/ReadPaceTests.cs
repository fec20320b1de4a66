using System.Diagnostics;
using PushBackplane.Redis;

namespace PushBackplane.Tests.Redis;

public sealed class ReadPaceTests
{
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(20);

    private readonly ReadPace _pace = new(Gather);
    private long _now = 5 * Stopwatch.Frequency;

    [Fact]
    public void The_first_message_and_each_after_a_long_pause_is_followed_by_no_rest()
    {
        Assert.Equal(TimeSpan.Zero, After(0, 100));
        for (var i = 0; i < 3; i++)
            Assert.Equal(TimeSpan.Zero, After(40, 100));
    }

    [Fact]
    public void Messages_that_come_faster_are_left_to_gather()
    {
        After(0, 100);
        Assert.Equal(Gather, After(39, 100));
        Assert.Equal(Gather, After(20, 100));
        Assert.Equal(Gather, After(1, 100));
        Assert.Equal(TimeSpan.Zero, After(40, 100));
    }

    [Fact]
    public void A_flood_is_read_without_rest_until_it_is_over()
    {
        After(0, 100);
        Assert.Equal(TimeSpan.Zero, After(20, ReadPace.Flood));
        // One period of it: nothing of it decides before the period ends.
        for (var i = 0; i < 19; i++)
            Assert.Equal(TimeSpan.Zero, After(1, ReadPace.Flood / 16));
        Assert.Equal(TimeSpan.Zero, After(1, 1));

        Assert.Equal(Gather, After(20, ReadPace.Flood - 1));
    }

    [Fact]
    public void Without_a_time_to_gather_there_is_never_a_rest()
    {
        var pace = new ReadPace(TimeSpan.Zero);
        Assert.Equal(TimeSpan.Zero, pace.After(1, _now));
        Assert.Equal(TimeSpan.Zero, pace.After(1, _now));
        Assert.Equal(TimeSpan.Zero, pace.After(1, _now + 1));
    }

    private TimeSpan After(int milliseconds, int bytes)
    {
        _now += milliseconds * Stopwatch.Frequency / 1000;
        return _pace.After(bytes, _now);
    }
}
