using PushHosting.Status;

namespace PushHosting.Tests.Status;

/// <summary>The expected values are those of Prometheus's <c>histogram_quantile</c>.</summary>
public sealed class QuantilesTests
{
    [Theory]
    [InlineData(0.5, new long[] { 0, 0, 0, 0 }, null)]
    [InlineData(0.5, new long[] { 10, 0, 0, 0 }, 0.5)]
    [InlineData(0.99, new long[] { 10, 0, 0, 0 }, 0.99)]
    [InlineData(0.5, new long[] { 5, 5, 0, 0 }, 1.0)]
    [InlineData(0.75, new long[] { 5, 5, 0, 0 }, 1.5)]
    [InlineData(0.5, new long[] { 0, 0, 4, 0 }, 3.0)]
    [InlineData(0.5, new long[] { 1, 0, 0, 9 }, 4.0)]
    [InlineData(0.0, new long[] { 0, 3, 0, 0 }, 1.0)]
    [InlineData(1.0, new long[] { 1, 1, 1, 0 }, 4.0)]
    public void A_quantile_is_interpolated_in_its_bucket(double quantile, long[] counts, double? expected)
    {
        double[] bounds = [1, 2, 4, double.PositiveInfinity];
        Assert.Equal(expected, Quantiles.Estimate(quantile, bounds.Zip(counts).ToArray()));
    }

    [Fact]
    public void A_histogram_without_series_has_none() => Assert.Null(Quantiles.Estimate(0.5, []));
}
