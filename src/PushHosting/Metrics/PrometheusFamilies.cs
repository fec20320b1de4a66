using System.Text;
using OpenTelemetry.Metrics;

namespace PushHosting.Metrics;

/// <summary>
/// Groups metric streams into the families of one page. The format requires the samples of a name in one block under one TYPE, and each
/// sample once. Streams of several meters, and names that differ only in characters that Prometheus does not allow, can share a family.
/// </summary>
internal sealed class PrometheusFamilies
{
    private static readonly string[] HistogramSamples = ["_bucket", "_sum", "_count"];

    private readonly Dictionary<string, PrometheusFamily> _families = [];
    private readonly HashSet<string> _sampleNames = [];

    /// <summary>Adds a stream to the family of its name and unit.</summary>
    /// <returns>False if a family of another type has that name; the stream is then left out.</returns>
    public bool TryAdd(Metric metric, out string name)
    {
        var type = TypeOf(metric.MetricType);
        name = PrometheusName.OfMetric(metric.Name, metric.Unit, type);

        if (_families.TryGetValue(name, out var family))
        {
            if (family.Type != type)
                return false;
            family.Streams.Add(metric);
            return true;
        }

        var prefix = name;
        string[] samples = type == PrometheusType.Histogram ? [name, .. HistogramSamples.Select(suffix => prefix + suffix)] : [name];
        if (_sampleNames.Overlaps(samples))
            return false;
        _sampleNames.UnionWith(samples);
        _families.Add(name, new PrometheusFamily(name, type, metric));
        return true;
    }

    /// <summary>The page.</summary>
    public byte[] ToPage()
    {
        StringBuilder text = new();
        foreach (var family in _families.Values)
            PrometheusText.Write(text, family);
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static PrometheusType TypeOf(MetricType type) => type switch
    {
        MetricType.LongSum or MetricType.DoubleSum => PrometheusType.Counter,
        MetricType.Histogram => PrometheusType.Histogram,
        MetricType.ExponentialHistogram => throw new NotSupportedException("No view of this project creates exponential histograms."),
        _ => PrometheusType.Gauge,
    };
}

/// <summary>The metric streams that share one name and type on the page.</summary>
internal sealed class PrometheusFamily(string name, PrometheusType type, Metric first)
{
    public string Name => name;

    public PrometheusType Type => type;

    /// <summary>promtool requires a help text for every metric; for an instrument without one, this is its name in the code.</summary>
    public string Help => string.IsNullOrEmpty(first.Description) ? $"Instrument {first.Name} of meter {first.MeterName}" : first.Description;

    public List<Metric> Streams { get; } = [first];
}

/// <summary>The types of the Prometheus text format that OpenTelemetry's instruments map to.</summary>
internal enum PrometheusType
{
    /// <summary>Only grows.</summary>
    Counter,

    /// <summary>Goes up and down.</summary>
    Gauge,

    /// <summary>Cumulative buckets, sum and count.</summary>
    Histogram,
}
