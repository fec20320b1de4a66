using System.Collections.Frozen;
using System.Globalization;
using System.Runtime.InteropServices;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace PushHosting.Status;

/// <summary>The values of some instruments at one moment. Immutable once taken.</summary>
internal sealed class MetricSample
{
    private readonly Dictionary<string, List<MetricSeries>> _series = [];

    private MetricSample(TimeSpan age, DateTimeOffset time) => (Age, Time) = (age, time);

    /// <summary>When it was taken, as the time since the process began to sample; it never jumps.</summary>
    public TimeSpan Age { get; }

    /// <summary>When it was taken.</summary>
    public DateTimeOffset Time { get; }

    /// <summary>The series of an instrument; none if it has measured nothing yet.</summary>
    public ReadOnlySpan<MetricSeries> this[string instrument] =>
        _series.TryGetValue(instrument, out var series) ? CollectionsMarshal.AsSpan(series) : [];

    /// <summary>Copies the points of the instruments from a collection, whose own points change with the next one.</summary>
    public static MetricSample Take(in Batch<Metric> collection, FrozenSet<string> instruments, TimeSpan age, DateTimeOffset time)
    {
        MetricSample sample = new(age, time);
        foreach (var metric in collection)
        {
            if (!instruments.Contains(metric.Name))
                continue;
            if (!sample._series.TryGetValue(metric.Name, out var series))
                sample._series.Add(metric.Name, series = []);
            foreach (ref readonly var point in metric.GetMetricPoints())
                series.Add(MetricSeries.Read(metric.MetricType, in point));
        }

        return sample;
    }
}

/// <summary>One series of an instrument in a <see cref="MetricSample"/>.</summary>
/// <param name="Labels">Its labels, as the instrument names them.</param>
/// <param name="Value">The value of a gauge or counter; the number of measurements of a histogram.</param>
/// <param name="Buckets">The measurements in each bucket of a histogram, with its upper bound; otherwise none.</param>
internal readonly record struct MetricSeries(KeyValuePair<string, string>[] Labels, double Value, (double Bound, long Count)[] Buckets)
{
    /// <summary>The value of a label; empty if the series has no such label.</summary>
    public string LabelOf(string label)
    {
        foreach (var (key, value) in Labels)
        {
            if (key == label)
                return value;
        }

        return "";
    }

    public static MetricSeries Read(MetricType type, in MetricPoint point)
    {
        var labels = point.Tags.Count == 0 ? [] : new KeyValuePair<string, string>[point.Tags.Count];
        var at = 0;
        foreach (var (key, value) in point.Tags)
            labels[at++] = KeyValuePair.Create(key, Convert.ToString(value, CultureInfo.InvariantCulture) ?? "");
        return type switch
        {
            MetricType.LongSum or MetricType.LongSumNonMonotonic => new(labels, point.GetSumLong(), []),
            MetricType.DoubleSum or MetricType.DoubleSumNonMonotonic => new(labels, point.GetSumDouble(), []),
            MetricType.LongGauge => new(labels, point.GetGaugeLastValueLong(), []),
            MetricType.DoubleGauge => new(labels, point.GetGaugeLastValueDouble(), []),
            _ => new(labels, point.GetHistogramCount(), ReadBuckets(in point)),
        };
    }

    private static (double, long)[] ReadBuckets(in MetricPoint point)
    {
        List<(double, long)> buckets = [];
        foreach (var bucket in point.GetHistogramBuckets())
            buckets.Add((bucket.ExplicitBound, bucket.BucketCount));
        return [.. buckets];
    }
}
