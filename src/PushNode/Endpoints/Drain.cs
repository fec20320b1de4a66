using PushNode.Connections;
using PushNode.FanOut;
using PushNode.Merging;
using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.Endpoints;

/// <summary>
/// How a node goes away: not ready and closed to newcomers at once, while the listener still answers; then what is merged goes out; then clients are closed at a bounded
/// rate, each told when to come back; then their echoes are awaited. All of it within <see cref="DrainSettings.Deadline"/>, after which the rest is cut.
/// </summary>
internal sealed class Drain(Admission admission, MergeWorkers merging, Shards shards, DrainSettings settings, TimeProvider time, ILogger<Drain> logger) : IHostedLifecycleService
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);

    /// <summary>What remains of the deadline for echoes and cuts when everybody has been told.</summary>
    private static readonly TimeSpan EchoShare = TimeSpan.FromSeconds(2);

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        admission.Drain();
        var startedAt = time.GetTimestamp();
        logger.DrainBegun(admission.Connections, settings.Deadline);

        await merging.FlushAsync();
        await shards.WhenPassed();
        while (admission.Connections > 0 && time.GetElapsedTime(startedAt) < settings.Deadline)
        {
            CloseSome(hurry: time.GetElapsedTime(startedAt) >= settings.Deadline - EchoShare);
            await Task.Delay(Tick, time, CancellationToken.None);
        }

        var cut = admission.Connections;
        shards.ForEach(connection => connection.Abort(CloseReason.Draining));
        logger.DrainEnded(time.GetElapsedTime(startedAt), cut);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Closes one tick's share of the connections; all that are left when there is no time for more ticks.</summary>
    private void CloseSome(bool hurry)
    {
        var share = hurry ? int.MaxValue : Math.Max(1, (int)(settings.ClosesPerSecond * Tick.TotalSeconds));
        shards.ForEach(connection =>
        {
            if (share == 0 || connection.IsClosing)
                return;
            connection.Close(CloseReason.Draining.Because($"retry={RetryHint()}"));
            share--;
        });
    }

    /// <summary>Milliseconds between half of the setting and one and a half of it, so that the closed do not come back together.</summary>
    private int RetryHint() => (int)(settings.RetryAfter.TotalMilliseconds * (0.5 + Random.Shared.NextDouble()));
}
