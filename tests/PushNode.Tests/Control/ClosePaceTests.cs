using PushNode.Control;

namespace PushNode.Tests.Control;

public sealed class ClosePaceTests
{
    private static readonly TimeSpan Burst = TimeSpan.FromSeconds(0.2);

    private readonly ManualTime _time = new();
    private readonly ClosePace _pace;

    public ClosePaceTests() => _pace = new ClosePace(Burst, _time);

    [Theory]
    [InlineData(20, 0.1)]
    [InlineData(20, 0.13)]
    [InlineData(7.5, 0.1)]
    [InlineData(1, 0.1)]
    [InlineData(1_000_000, 0.1)]
    public void Over_a_minute_it_allows_the_rate_plus_at_most_one_burst(double perSecond, double tick)
    {
        long closed = 0;
        var seconds = 0.0;
        for (; seconds < 60; seconds += tick)
        {
            closed += Take(perSecond);
            Assert.InRange(closed, 0, (perSecond * (seconds + Burst.TotalSeconds)) + 1 + 1e-6);
            _time.Advance(TimeSpan.FromSeconds(tick));
        }

        Assert.InRange(closed, (perSecond * (seconds - tick)) - 1, double.MaxValue);
    }

    [Fact]
    public void A_late_tick_allows_one_burst_not_everything_it_missed()
    {
        Assert.Equal(5, Take(20));
        _time.Advance(TimeSpan.FromSeconds(0.19));
        Assert.Equal(3, Take(20));
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(5, Take(20));
        Assert.Equal(0, Take(20));
    }

    [Fact]
    public void Unspent_closes_stay_allowed()
    {
        Assert.Equal(5, _pace.Allowed(20));
        Assert.Equal(5, _pace.Allowed(20));
        _pace.Spend(1);
        Assert.Equal(4, _pace.Allowed(20));
    }

    [Fact]
    public void A_changed_rate_allows_no_more_than_its_own_burst()
    {
        Assert.Equal(1001, _pace.Allowed(5000));
        Assert.Equal(5, _pace.Allowed(20));
    }

    private int Take(double perSecond)
    {
        var allowed = _pace.Allowed(perSecond);
        _pace.Spend(allowed);
        return allowed;
    }
}
