using RedisPush.Client.Connections;

namespace RedisPush.Client.Tests.Connections;

public sealed class BackOffTests
{
    private static readonly ConnectionEnd Broken = new(null, "broken");

    [Fact]
    public void The_wait_is_anything_below_a_bound_that_doubles_up_to_the_largest()
    {
        double[] bounds = [1, 2, 4, 8, 16, 30, 30];
        var most = new double[bounds.Length];
        for (var client = 0; client < 2_000; client++)
        {
            var backOff = new BackOff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
            for (var attempt = 0; attempt < bounds.Length; attempt++)
                most[attempt] = Math.Max(most[attempt], backOff.Next(Broken, TimeSpan.Zero).TotalSeconds);
        }

        // The largest of 2,000 draws is below nine tenths of the bound once in 10^91 runs.
        Assert.All(bounds.Zip(most), pair => Assert.InRange(pair.Second, pair.First * 0.9, pair.First));
    }

    [Fact]
    public void Only_a_connection_that_outlived_the_bound_resets_it()
    {
        var backOff = new BackOff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
        for (var i = 0; i < 10; i++)
            backOff.Next(Broken, TimeSpan.FromSeconds(0.5));
        Assert.Contains(Enumerable.Range(0, 1_000).Select(_ => backOff.Next(Broken, TimeSpan.FromSeconds(29))), wait => wait > TimeSpan.FromSeconds(20));
        Assert.InRange(backOff.Next(Broken, TimeSpan.FromSeconds(31)), TimeSpan.Zero, TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void A_time_that_the_server_gives_is_kept_once_and_then_backed_off()
    {
        var hint = ConnectionEnd.Closed(1001, "retry=0");
        var waits = Enumerable.Range(0, 1_000).Select(_ =>
        {
            var backOff = new BackOff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
            return (First: backOff.Next(hint, TimeSpan.Zero), Second: backOff.Next(hint, TimeSpan.Zero), Later: backOff.Next(hint, TimeSpan.FromMinutes(1)));
        }).ToList();
        Assert.All(waits, wait => Assert.Equal((TimeSpan.Zero, TimeSpan.Zero), (wait.First, wait.Later)));
        Assert.InRange(waits.Max(wait => wait.Second.TotalSeconds), 1.8, 2);
    }

    [Theory]
    [InlineData("99999999999999999999", 900)]
    [InlineData("901", 900)]
    [InlineData("-5", 0)]
    [InlineData("soon", 0)]
    [InlineData(null, 0)]
    public void A_Retry_After_counts_up_to_15_minutes(string? header, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), ConnectionEnd.Refused(503, header).RetryAfter);

    [Fact]
    public void What_the_server_asked_everybody_for_is_the_least_and_is_spread()
    {
        var waits = Enumerable.Range(0, 2_000).Select(_ => new BackOff(TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(30)).Next(ConnectionEnd.Refused(503, "10"), TimeSpan.Zero).TotalSeconds).ToList();
        Assert.InRange(waits.Min(), 10, 11);
        Assert.InRange(waits.Max(), 19, 20);
    }
}
