using System.Globalization;
using System.Text;
using OpenTelemetry.Metrics;

namespace PushHosting.Metrics;

/// <summary>
/// Writes a family in the Prometheus text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/).
/// </summary>
internal static class PrometheusText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>Appends the family's HELP, TYPE and samples.</summary>
    public static void Write(StringBuilder page, PrometheusFamily family)
    {
        HashSet<string> written = [];
        foreach (var metric in family.Streams)
        {
            foreach (ref readonly var point in metric.GetMetricPoints())
            {
                // Two meters can have the same instrument with the same tags. The format allows each sample once, so the first one is kept.
                var labels = PrometheusLabels.Format(point.Tags);
                if (!written.Add(labels))
                    continue;
                if (written.Count == 1)
                    WriteHeader(page, family);
                WritePoint(page, family.Name, labels, metric.MetricType, in point);
            }
        }
    }

    /// <summary>A number as the format writes it, the same in every culture.</summary>
    public static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        double.NaN => "NaN",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };

    private static void WriteHeader(StringBuilder page, PrometheusFamily family)
    {
        var help = family.Help.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("\n", @"\n", StringComparison.Ordinal);
        var type = family.Type switch
        {
            PrometheusType.Counter => "counter",
            PrometheusType.Gauge => "gauge",
            _ => "histogram",
        };
        page.Append(CultureInfo.InvariantCulture, $"# HELP {family.Name} {help}\n# TYPE {family.Name} {type}\n");
    }

    private static void WritePoint(StringBuilder page, string name, string labels, MetricType type, in MetricPoint point)
    {
        switch (type)
        {
            case MetricType.LongSum or MetricType.LongSumNonMonotonic:
                WriteSample(page, name, labels, Number(point.GetSumLong()));
                break;
            case MetricType.DoubleSum or MetricType.DoubleSumNonMonotonic:
                WriteSample(page, name, labels, Number(point.GetSumDouble()));
                break;
            case MetricType.LongGauge:
                WriteSample(page, name, labels, Number(point.GetGaugeLastValueLong()));
                break;
            case MetricType.DoubleGauge:
                WriteSample(page, name, labels, Number(point.GetGaugeLastValueDouble()));
                break;
            default:
                WriteHistogram(page, name, labels, in point);
                break;
        }
    }

    private static void WriteHistogram(StringBuilder page, string name, string labels, in MetricPoint point)
    {
        long cumulative = 0;
        foreach (var bucket in point.GetHistogramBuckets())
        {
            cumulative += bucket.BucketCount;
            // The last bucket is written below, from the count, because a histogram without bounds has no buckets.
            if (double.IsFinite(bucket.ExplicitBound))
                WriteSample(page, name + "_bucket", PrometheusLabels.WithBound(labels, Number(bucket.ExplicitBound)), Number(cumulative));
        }
        var count = Number(point.GetHistogramCount());
        WriteSample(page, name + "_bucket", PrometheusLabels.WithBound(labels, Number(double.PositiveInfinity)), count);
        WriteSample(page, name + "_sum", labels, Number(point.GetHistogramSum()));
        WriteSample(page, name + "_count", labels, count);
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static void WriteSample(StringBuilder page, string name, string labels, string value)
    {
        page.Append(name);
        if (labels.Length > 0)
            page.Append('{').Append(labels).Append('}');
        page.Append(' ').Append(value).Append('\n');
    }
}
