using PushNode.Merging;
using PushNode.Settings;

namespace PushNode.Tests.Merging;

public sealed class MergeClockTests
{
    private readonly ManualTime _time = new();

    [Theory]
    [InlineData(50, 5)]
    [InlineData(200, 5)]
    [InlineData(20, 2)]
    public void Time_goes_in_steps_that_are_short_against_the_gather(int gather, int step)
    {
        var clock = new MergeClock(Settings(gather), _time);
        Assert.Equal(TimeSpan.FromMilliseconds(step), clock.StepTime);
        _time.Advance(TimeSpan.FromMilliseconds(step) - clock.Since(clock.Now));
        var began = clock.Now;
        _time.Advance(TimeSpan.FromMilliseconds(step) - TimeSpan.FromTicks(1));
        Assert.Equal(began, clock.Now);
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(TimeSpan.Zero, clock.Since(clock.Now));
        Assert.NotEqual(began, clock.Now);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public void Without_much_gather_no_time_is_slept_through(int gather) => Assert.Equal(TimeSpan.Zero, new MergeClock(Settings(gather), _time).StepTime);

    [Fact]
    public void A_gather_is_whole_steps_between_half_and_all_of_the_setting()
    {
        var clock = new MergeClock(Settings(50), _time);
        var drawn = Enumerable.Range(0, 1000).Select(_ => clock.Gather()).ToHashSet();
        Assert.All(drawn, ticks => Assert.InRange(ticks, 25 * TimeSpan.TicksPerMillisecond, 50 * TimeSpan.TicksPerMillisecond));
        Assert.All(drawn, ticks => Assert.Equal(0, ticks % clock.Step));
        Assert.InRange(drawn.Count, 5, 6);
    }

    private static MergeSettings Settings(int gather) => new() { Gather = TimeSpan.FromMilliseconds(gather) };
}
