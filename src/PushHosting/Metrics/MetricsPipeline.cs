using System.Diagnostics.Metrics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using PushHosting.Settings;

namespace PushHosting.Metrics;

/// <summary>The name of a meter whose instruments are exported.</summary>
internal sealed record ExportedMeter(string Name);

/// <summary>
/// The standard setting that enables OTLP export. OpenTelemetry itself silently replaces an invalid value with its default.
/// </summary>
internal static class OtlpEndpoint
{
    private const string Key = "OTEL_EXPORTER_OTLP_ENDPOINT";

    public static bool IsSet(IConfiguration configuration) => !string.IsNullOrEmpty(configuration[Key]);

    /// <exception cref="SettingsException">The setting is not an address.</exception>
    public static void Check(IConfiguration configuration)
    {
        if (IsSet(configuration) && !(Uri.TryCreate(configuration[Key], UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"))
            throw SettingsException.For(Key, configuration[Key]!, "an http or https address, for example http://localhost:4317");
    }
}

/// <summary>
/// The OpenTelemetry SDK's pipeline of one host: the instruments that are measured, and the exporters. It measures from construction on,
/// before any hosted service starts. Owned by the container; read from any thread.
/// </summary>
internal sealed class MetricsPipeline : IDisposable
{
    // An unavailable OTLP collector must not delay the exit longer than this.
    private const int FinishMilliseconds = 2000;

    private readonly SemaphoreSlim _collecting = new(1);
    private readonly PullExporter _pull = new();
    private readonly PrometheusPage _prometheus;
    private readonly MeterProvider _provider;

    public MetricsPipeline(
        IEnumerable<ExportedMeter> meters,
        IMeterFactory meterFactory,
        IConfiguration configuration,
        IHostEnvironment environment,
        ILogger<MetricsPipeline> log)
    {
        ProcessMetrics.Export(meterFactory);
        _prometheus = new PrometheusPage(log);
        var builder = Sdk.CreateMeterProviderBuilder()
            // The SDK reads the OTEL_* keys from this configuration, so that a file or the command line can set them too.
            .ConfigureServices(services => services.AddSingleton(configuration))
            .ConfigureResource(resource => resource.Clear().AddService(environment.ApplicationName).AddTelemetrySdk().AddEnvironmentVariableDetector())
            .AddMeter([.. meters.Select(m => m.Name).Distinct(), ProcessMetrics.MeterName, "System.Runtime", "Microsoft.AspNetCore.Server.Kestrel"])
            .AddView(instrument => instrument.Meter.Scope is IMeterFactory other && other != meterFactory ? MetricStreamConfiguration.Drop : null)
            .AddReader(new BaseExportingMetricReader(_pull));
        if (OtlpEndpoint.IsSet(configuration))
            builder.AddOtlpExporter();
        _provider = builder.Build();
    }

    /// <summary>Writes all metrics in the Prometheus text format.</summary>
    public async Task<byte[]> ScrapeAsync(CancellationToken cancellationToken)
    {
        await ReadAsync(_prometheus.Write, cancellationToken);
        return _prometheus.Text;
    }

    /// <summary>
    /// Collects and reads all metrics. One call at a time, because the SDK gives concurrent collections the same result. Nothing is read once
    /// the pipeline is finished.
    /// </summary>
    public async Task ReadAsync(CollectionReader reader, CancellationToken cancellationToken)
    {
        await _collecting.WaitAsync(cancellationToken);
        try
        {
            _pull.Read(reader);
        }
        finally
        {
            _collecting.Release();
        }
    }

    /// <summary>Exports the last measurements over OTLP, within a bounded time. Nothing is measured afterwards.</summary>
    public void Finish() => _provider.Shutdown(FinishMilliseconds);

    public void Dispose()
    {
        _provider.Dispose();
        _collecting.Dispose();
    }
}
