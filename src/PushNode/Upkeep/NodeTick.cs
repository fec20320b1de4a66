using PushNode.Control;
using PushNode.FanOut;
using PushNode.Sending;
using PushNode.Subscription;
using PushNode.Users;

namespace PushNode.Upkeep;

/// <summary>
/// One timer for everything that happens once a second: deadlines of handshakes and connections, limits of addresses and SENDs, lingering rooms,
/// bans and mutes that are over, counts of uncontended locks, tidying. Lives as long as the node.
/// </summary>
internal sealed class NodeTick(
    PendingHandshakes handshakes, HandshakeLimits limits, Shards shards, Rooms rooms, NodeRestrictions restrictions, SendLimits sends, Tidying tidying, TimeProvider time)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>A look at every room with a history, which only matters for those in which nothing happens.</summary>
    private const int HistoryTicks = 60;

    private int _ticks;

    /// <summary>One tick.</summary>
    public void Run()
    {
        handshakes.CutLate();
        limits.Sweep();
        var now = time.GetTimestamp();
        var clock = time.GetUtcNow();
        var seconds = clock.ToUnixTimeSeconds();
        shards.ForEach(connection =>
        {
            connection.CheckTime(now);
            connection.CheckDue(clock, seconds);
        });
        rooms.RetireLingering();
        if (++_ticks % HistoryTicks == 0)
            rooms.TrimHistories();
        restrictions.ForgetOver();
        sends.Sweep();
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
