using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using PushHosting.Logging;

namespace PushHosting.Metrics;

/// <summary>
/// Turns a collection of the OpenTelemetry SDK into a page of the Prometheus text format, when asked. Owned by <see cref="MetricsPipeline"/>, which lets one
/// thread at a time in.
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
        // Also false once the provider is shut down: the last page stands then.
        Collect!(Timeout.Infinite);
        return _page;
    }

    /// <inheritdoc/>
    public override ExportResult Export(in Batch<Metric> batch)
    {
        PrometheusFamilies families = new();
        foreach (var metric in batch)
        {
            // Each once: a page is made every few seconds for as long as the process lives.
            if (!families.TryAdd(metric, out var name) && _reported.Add((metric.MeterName, metric.Name)))
                log.MetricNameTaken(metric.Name, metric.MeterName, name);
        }
        _page = families.ToPage();
        return ExportResult.Success;
    }
}
