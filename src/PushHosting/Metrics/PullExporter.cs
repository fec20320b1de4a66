using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace PushHosting.Metrics;

/// <summary>Reads a collection while the SDK holds it: its points change with the next one.</summary>
internal delegate void CollectionReader(in Batch<Metric> collection);

/// <summary>
/// Makes the OpenTelemetry SDK collect when somebody asks, and hands the collection to them. Owned by <see cref="MetricsPipeline"/>, which
/// admits one thread at a time.
/// </summary>
[ExportModes(ExportModes.Pull)]
internal sealed class PullExporter : BaseExporter<Metric>, IPullMetricExporter
{
    private CollectionReader? _reader;

    /// <summary>Set by the SDK's reader: collects and calls <see cref="Export"/> before it returns.</summary>
    public Func<int, bool>? Collect { get; set; }

    /// <summary>Collects, and calls the reader once, unless the provider is shut down.</summary>
    public void Read(CollectionReader reader)
    {
        _reader = reader;
        Collect!(Timeout.Infinite);
        _reader = null;
    }

    /// <inheritdoc/>
    public override ExportResult Export(in Batch<Metric> batch)
    {
        // Null for the collection that the shutdown makes on its own.
        _reader?.Invoke(batch);
        return ExportResult.Success;
    }
}
