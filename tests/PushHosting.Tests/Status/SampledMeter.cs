using System.Diagnostics.Metrics;
using System.Text.Json;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using PushHosting.Metrics;
using PushHosting.Status;

namespace PushHosting.Tests.Status;

/// <summary>A meter, and plots of it whose samples a test takes at times that it chooses.</summary>
internal sealed class SampledMeter : IDisposable
{
    private readonly PullExporter _pull = new();
    private readonly MeterProvider _provider;
    private readonly PlotHistory _history;
    private readonly DateTimeOffset _start = new(2026, 11, 22, 0, 0, 0, TimeSpan.Zero);

    public SampledMeter(params Plot[] plots)
    {
        _history = new PlotHistory(plots);
        _provider = Sdk.CreateMeterProviderBuilder().AddMeter(Meter.Name).AddReader(new BaseExportingMetricReader(_pull)).Build();
    }

    public Meter Meter { get; } = new($"sampled {Guid.NewGuid()}");

    /// <summary>A plot of these lines.</summary>
    public static Plot Plot(params PlotLine[] lines) => new(PlotSection.Process, "A plot", PlotUnit.Count, "A plot of a test.", lines);

    public void Sample(double seconds)
    {
        var age = TimeSpan.FromSeconds(seconds);
        _pull.Read((in collection) => _history.Add(MetricSample.Take(in collection, _history.Instruments, age, _start + age)));
    }

    /// <summary>What the page gets.</summary>
    public JsonElement Json(long after = 0) => JsonDocument.Parse(StatusAnswer.Ok(json => _history.Write(json, after)).Json).RootElement;

    /// <summary>The lines of the first plot, as "name now total [values]".</summary>
    public string[] Lines(long after = 0) =>
    [
        .. Json(after).GetProperty("plots")[0].GetProperty("lines").EnumerateArray()
            .Select(line => $"{line.GetProperty("name")} {line.GetProperty("now").GetRawText()} {line.GetProperty("total").GetRawText()} {line.GetProperty("values").GetRawText()}"),
    ];

    public void Dispose()
    {
        _provider.Dispose();
        Meter.Dispose();
    }
}
