using PushNode.Control;
using PushNode.FanOut;
using PushNode.Subscription;

namespace PushNode.Upkeep;

/// <summary>
/// One timer for everything that happens once a second: deadlines of handshakes and connections, lingering rooms, counts of uncontended
/// locks, tidying. Lives as long as the node.
/// </summary>
internal sealed class NodeTick(PendingHandshakes handshakes, Shards shards, Rooms rooms, Tidying tidying, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>One tick.</summary>
    public void Run()
    {
        handshakes.CutLate();
        var now = time.GetTimestamp();
        shards.ForEach(connection => connection.CheckTime(now));
        rooms.RetireLingering();
        shards.ReportUncontended();
        tidying.Run();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                Run();
        }
        catch (OperationCanceledException)
        {
            // Expected: the host stops.
        }
    }
}
