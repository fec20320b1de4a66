using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using PushHosting.Logging;

namespace PushHosting.Metrics;

/// <summary>
/// Turns collections of the OpenTelemetry SDK into pages of the Prometheus text format. Owned by <see cref="MetricsPipeline"/>, which admits
/// one thread at a time.
/// </summary>
internal sealed class PrometheusPage(ILogger log)
{
    private readonly HashSet<(string Meter, string Instrument)> _reported = [];

    /// <summary>The page of the last collection; once the provider is shut down, that is the last one before.</summary>
    public byte[] Text { get; private set; } = [];

    /// <summary>Writes the page of a collection.</summary>
    public void Write(in Batch<Metric> collection)
    {
        PrometheusFamilies families = new();
        foreach (var metric in collection)
        {
            // Logged once per instrument, because a page is written every few seconds.
            if (!families.TryAdd(metric, out var name) && _reported.Add((metric.MeterName, metric.Name)))
                log.MetricNameTaken(metric.Name, metric.MeterName, name);
        }
        Text = families.ToPage();
    }
}
