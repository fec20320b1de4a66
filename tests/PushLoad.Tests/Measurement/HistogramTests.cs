using PushLoad.Measurement;

namespace PushLoad.Tests.Measurement;

public sealed class HistogramTests
{
    [Fact]
    public void Percentiles_are_at_most_1_in_128_too_high_and_never_too_low()
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var values = Enumerable.Range(0, 10_000).Select(_ => (long)Math.Pow(10, random.NextDouble() * 8)).ToArray();
        var histogram = new Histogram();
        foreach (var value in values)
            histogram.Record(value);
        Array.Sort(values);

        foreach (var share in new[] { 0.0001, 0.01, 0.5, 0.9, 0.99, 1 })
        {
            var exact = values[(int)Math.Ceiling(values.Length * share) - 1];
            Assert.InRange(histogram.Percentile(share), exact, exact + (exact / 128));
        }
    }

    [Fact]
    public void A_histogram_survives_the_pipe_and_subtraction()
    {
        var (first, second) = (new Histogram(), new Histogram());
        first.Record(5);
        first.Record(1_000_000, 7);
        first.Record(-3);
        first.Record(long.MaxValue);
        second.Add(Histogram.FromPairs(first.ToPairs()));
        second.Record(42);
        Assert.Equal(11, second.Count);
        Assert.Equal(42, second.Since(first).Percentile(1));
        Assert.Equal(1, second.Since(first).Count);
        Assert.Equal(0, new Histogram().Percentile(0.5));
    }
}
