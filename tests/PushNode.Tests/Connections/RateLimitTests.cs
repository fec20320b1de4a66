using PushNode.Connections;

namespace PushNode.Tests.Connections;

public sealed class RateLimitTests
{
    private readonly ManualTime _time = new();
    private long _state;

    [Fact]
    public void A_burst_is_allowed_and_one_more_is_not()
    {
        var limit = new RateLimit(perSecond: 10, burst: 5, _time);
        Assert.Equal(5, Take(limit, 20));
    }

    [Fact]
    public void After_the_burst_one_is_allowed_for_each_interval()
    {
        var limit = new RateLimit(perSecond: 10, burst: 5, _time);
        Take(limit, 5);
        _time.Advance(TimeSpan.FromMilliseconds(99));
        Assert.Equal(0, Take(limit, 1));
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, Take(limit, 2));
    }

    [Fact]
    public void A_long_pause_restores_the_burst_and_no_more()
    {
        var limit = new RateLimit(perSecond: 10, burst: 5, _time);
        Take(limit, 5);
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(5, Take(limit, 20));
    }

    [Fact]
    public void Refused_attempts_cost_nothing()
    {
        var limit = new RateLimit(perSecond: 10, burst: 1, _time);
        Take(limit, 1000);
        _time.Advance(TimeSpan.FromMilliseconds(100));
        Assert.Equal(1, Take(limit, 1));
    }

    private int Take(RateLimit limit, int attempts) => Enumerable.Range(0, attempts).Count(_ => limit.TryTake(ref _state, _time.GetTimestamp()));
}
