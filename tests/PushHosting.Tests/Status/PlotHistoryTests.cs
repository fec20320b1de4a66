using System.Diagnostics.Metrics;
using PushHosting.Status;

namespace PushHosting.Tests.Status;

/// <summary>What the lines of plots make of an instrument's samples.</summary>
public sealed class PlotHistoryTests
{
    [Fact]
    public void A_gauge_is_shown_as_it_is()
    {
        using var meter = new SampledMeter(SampledMeter.Plot(PlotLine.Value("open", "test.open")));
        var open = 3;
        meter.Meter.CreateObservableUpDownCounter("test.open", () => open);
        meter.Sample(0);
        open = 100_001;
        meter.Sample(2);
        Assert.Equal(["open 100001 null [3,1E+05]"], meter.Lines());
    }

    [Fact]
    public void A_rate_is_the_growth_over_the_time_between_two_samples()
    {
        using var meter = new SampledMeter(SampledMeter.Plot(PlotLine.Rate("pushes", "test.pushes")));
        var pushes = meter.Meter.CreateCounter<long>("test.pushes");
        pushes.Add(7);
        meter.Sample(0);
        pushes.Add(30);
        meter.Sample(2);
        meter.Sample(6);
        pushes.Add(10);
        meter.Sample(10);
        Assert.Equal(["pushes 2.5 47 [null,15,0,2.5]"], meter.Lines());
    }

    [Fact]
    public void A_counter_that_has_counted_nothing_yet_begins_at_0()
    {
        using var meter = new SampledMeter(SampledMeter.Plot(PlotLine.Rate("pushes", "test.pushes")));
        meter.Sample(0);
        var pushes = meter.Meter.CreateCounter<long>("test.pushes");
        pushes.Add(8);
        meter.Sample(2);
        Assert.Equal(["pushes 4 8 [null,4]"], meter.Lines());
    }

    [Fact]
    public void A_label_gives_a_line_for_each_value_and_none_their_sum()
    {
        using var meter = new SampledMeter(SampledMeter.Plot(PlotLine.Rate("all", "test.drops"), PlotLine.Rate("", "test.drops").By("reason")));
        var drops = meter.Meter.CreateCounter<long>("test.drops");
        meter.Sample(0);
        drops.Add(2, KeyValuePair.Create<string, object?>("reason", "slow"));
        meter.Sample(1);
        drops.Add(3, KeyValuePair.Create<string, object?>("reason", "left"));
        meter.Sample(2);
        Assert.Equal(["all 3 5 [null,2,3]", "slow 0 2 [null,2,0]", "left 3 3 [null,null,3]"], meter.Lines());
    }

    [Fact]
    public void A_series_that_ends_leaves_a_gap()
    {
        using var meter = new SampledMeter(SampledMeter.Plot(PlotLine.Value("", "test.lateness").By("server")));
        double? lateness = 0.5;
        meter.Meter.CreateObservableGauge("test.lateness", Observe);
        meter.Sample(0);
        lateness = null;
        meter.Sample(2);
        lateness = 0.25;
        meter.Sample(4);
        Assert.Equal(["redis:6379 0.25 null [0.5,null,0.25]"], meter.Lines());

        IEnumerable<Measurement<double>> Observe() =>
            lateness is { } value ? [new Measurement<double>(value, KeyValuePair.Create<string, object?>("server", "redis:6379"))] : [];
    }

    [Fact]
    public void A_ratio_divides_growth_by_growth_and_is_absent_without_any()
    {
        using var meter = new SampledMeter(SampledMeter.Plot(PlotLine.Ratio("messages in a batch", "test.merged", "test.batches")));
        var merged = meter.Meter.CreateCounter<long>("test.merged");
        var batches = meter.Meter.CreateCounter<long>("test.batches");
        merged.Add(100);
        batches.Add(1);
        meter.Sample(0);
        merged.Add(9);
        batches.Add(2);
        meter.Sample(2);
        meter.Sample(4);
        Assert.Equal(["messages in a batch null null [null,4.5,null]"], meter.Lines());
    }

    [Fact]
    public void A_quantile_is_of_what_was_measured_between_two_samples()
    {
        using var meter = new SampledMeter(SampledMeter.Plot(PlotLine.Of(0.5, "test.wait"), PlotLine.Of(0.99, "test.wait")));
        var wait = meter.Meter.CreateHistogram<double>("test.wait", advice: new() { HistogramBucketBoundaries = [1, 2, 4] });
        for (var i = 0; i < 1000; i++)
            wait.Record(3.9);
        meter.Sample(0);
        for (var i = 0; i < 4; i++)
            wait.Record(1.5);
        meter.Sample(2);
        meter.Sample(4);
        wait.Record(100);
        meter.Sample(6);
        Assert.Equal(["p50 4 null [null,1.5,null,4]", "p99 4 null [null,1.99,null,4]"], meter.Lines());
    }

    [Fact]
    public void The_newest_samples_replace_the_oldest()
    {
        using var meter = new SampledMeter(SampledMeter.Plot(PlotLine.Value("n", "test.n")));
        var n = 0;
        meter.Meter.CreateObservableGauge("test.n", () => ++n);
        for (var i = 0; i < 2 * PlotHistory.Length + 7; i++)
            meter.Sample(2 * i);

        var status = meter.Json();
        Assert.Equal(n, status.GetProperty("sample").GetInt32());
        double[] expected = [.. Enumerable.Range(n - PlotHistory.Length + 1, PlotHistory.Length)];
        Assert.Equal(expected, status.GetProperty("plots")[0].GetProperty("lines")[0].GetProperty("values").EnumerateArray().Select(value => value.GetDouble()));
        var times = status.GetProperty("times").EnumerateArray().Select(time => time.GetInt64()).ToArray();
        Assert.Equal(PlotHistory.Length, times.Length);
        Assert.All(times.Zip(times.Skip(1)), pair => Assert.Equal(2000, pair.Second - pair.First));
    }

    [Theory]
    [InlineData(0, "[1,2,3]")]
    [InlineData(1, "[2,3]")]
    [InlineData(3, "[]")]
    [InlineData(99, "[]")]
    [InlineData(-1, "[1,2,3]")]
    public void A_reader_gets_the_samples_that_it_does_not_have(long after, string values)
    {
        using var meter = new SampledMeter(SampledMeter.Plot(PlotLine.Value("n", "test.n")));
        var n = 0;
        meter.Meter.CreateObservableGauge("test.n", () => ++n);
        for (var i = 0; i < 3; i++)
            meter.Sample(2 * i);
        Assert.Equal([$"n 3 null {values}"], meter.Lines(after));
        Assert.Equal(3, meter.Json(after).GetProperty("sample").GetInt32());
    }
}
