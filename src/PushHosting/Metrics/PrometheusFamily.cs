using OpenTelemetry.Metrics;

namespace PushHosting;

/// <summary>The metric streams that share one name and type on the page.</summary>
internal sealed class PrometheusFamily(string name, PrometheusType type, Metric first)
{
    public string Name => name;

    public PrometheusType Type => type;

    /// <summary>promtool wants a text for every metric; an instrument without one is at least named as its code names it.</summary>
    public string Help => string.IsNullOrEmpty(first.Description) ? $"Instrument {first.Name} of meter {first.MeterName}" : first.Description;

    public List<Metric> Streams { get; } = [first];
}
