using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using PushHosting.Logging;

namespace PushHosting.Metrics;

/// <summary>
/// Turns a collection of the OpenTelemetry SDK into a page of the Prometheus text format. Owned by <see cref="MetricsPipeline"/>, which
/// admits one thread at a time.
/// </summary>
[ExportModes(ExportModes.Pull)]
internal sealed class PrometheusExporter(ILogger log) : BaseExporter<Metric>, IPullMetricExporter
{
    private readonly HashSet<(string Meter, string Instrument)> _reported = [];
    private byte[] _page = [];

    /// <summary>Set by the SDK's reader: collects and calls <see cref="Export"/> before it returns.</summary>
    public Func<int, bool>? Collect { get; set; }

    /// <summary>A fresh page.</summary>
    public byte[] Scrape()
    {
        // False once the provider is shut down; the last page is then returned again.
        Collect!(Timeout.Infinite);
        return _page;
    }

    /// <inheritdoc/>
    public override ExportResult Export(in Batch<Metric> batch)
    {
        PrometheusFamilies families = new();
        foreach (var metric in batch)
        {
            // Logged once per instrument, because a page is written every few seconds.
            if (!families.TryAdd(metric, out var name) && _reported.Add((metric.MeterName, metric.Name)))
                log.MetricNameTaken(metric.Name, metric.MeterName, name);
        }
        _page = families.ToPage();
        return ExportResult.Success;
    }
}
