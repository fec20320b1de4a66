using Microsoft.Extensions.Logging;
using PushHosting.Logging;
using PushHosting.Metrics;

namespace PushHosting.Status;

/// <summary>
/// Samples the metrics for the page's plots, whether or not somebody looks. Started and stopped by the management listener, so that a drain
/// is sampled to its end. Its loop runs on pool threads, one sample at a time.
/// </summary>
internal sealed class StatusSampler(PlotHistory history, MetricsPipeline metrics, TimeProvider time, ILogger<StatusSampler> log)
    : IDisposable
{
    private readonly CancellationTokenSource _end = new();
    private readonly LogPace _pace = new(time);
    private readonly long _began = time.GetTimestamp();
    private Task _loop = Task.CompletedTask;

    public void Start() => _loop = RunAsync();

    public async Task StopAsync()
    {
        await _end.CancelAsync();
        await _loop;
    }

    /// <summary>Takes one sample.</summary>
    public async Task SampleAsync()
    {
        MetricSample? sample = null;
        await metrics.ReadAsync(
            (in collection) => sample = MetricSample.Take(in collection, history.Instruments, time.GetElapsedTime(_began), time.GetUtcNow()),
            _end.Token);
        if (sample is not null)
            history.Add(sample);
    }

    /// <summary>Ends the loop if the host ends without <see cref="StopAsync"/>, because another of its services failed to start.</summary>
    public void Dispose()
    {
        _end.Cancel();
        _end.Dispose();
    }

    private async Task RunAsync()
    {
        using PeriodicTimer timer = new(PlotHistory.Interval, time);
        try
        {
            do
            {
                await TrySampleAsync();
            }
            while (await timer.WaitForNextTickAsync(_end.Token));
        }
        catch (OperationCanceledException)
        {
            // Expected: the management listener closes.
        }
    }

    private async Task TrySampleAsync()
    {
        try
        {
            await SampleAsync();
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // A bug in an instrument or a plot: the page misses this sample.
            if (_pace.MayLog())
                log.SampleFailed(e);
        }
    }
}
