using PushHosting.Logging;
using PushNode.Connections;
using PushNode.FanOut;
using PushNode.Telemetry;

namespace PushNode.Upkeep;

/// <summary>
/// Keeps all outboxes together within their limit. Near it, the clients with the largest outboxes lose their queued frames or their
/// connection (<see cref="Connection.Shed"/>), largest first. Takes one connection's gate at a time and no other lock. Lives as long as
/// the node.
/// </summary>
internal sealed class OutboxShedding(OutboxTotal total, Shards shards, NodeMetrics metrics, TimeProvider time, ILogger<OutboxShedding> logger)
    : BackgroundService
{
    /// <summary>
    /// The time between two scans of all connections. Between scans the total's limit, beyond which no PUSH is queued, bounds the growth.
    /// </summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly LogPace _log = new(time);

    /// <summary>Sheds until the total is low enough, or no connection has anything to shed.</summary>
    public void Run()
    {
        var before = total.Bytes;
        int trimmed = 0, closed = 0;
        while (total.Bytes > total.Low)
        {
            var last = trimmed + closed;
            foreach (var connection in LargestFirst())
            {
                if (total.Bytes <= total.Low)
                    break;
                var outcome = Shed(connection);
                trimmed += outcome == ShedOutcome.Trimmed ? 1 : 0;
                closed += outcome == ShedOutcome.Closed ? 1 : 0;
            }

            // The remaining bytes belong to connections that are closing, or are being sent.
            if (trimmed + closed == last)
                break;
        }

        if (trimmed + closed > 0 && _log.MayLog())
            logger.OutboxesShed(before, trimmed, closed);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        metrics.MeasureOutboxes(() => total.Bytes, total.Limit);
        try
        {
            while (true)
            {
                await total.WhenHighAsync(stoppingToken);
                Run();
                await Task.Delay(Pause, time, stoppingToken);
            }
        }
        catch (OperationCanceledException)
        {
            // Expected: the host stops.
        }
    }

    private static ShedOutcome Shed(Connection connection)
    {
        try
        {
            return connection.Shed();
        }
        catch (Exception e)
        {
            // A bug: closes this connection and continues, to keep the node within its limit.
            connection.Fail(e);
            return ShedOutcome.Closed;
        }
    }

    private List<Connection> LargestFirst()
    {
        var holders = new List<(long Share, Connection Connection)>();
        shards.ForEach(connection =>
        {
            if (connection.OutboxShare() is > 0 and var share)
                holders.Add((share, connection));
        });
        holders.Sort(static (a, b) => b.Share.CompareTo(a.Share));
        return holders.ConvertAll(static holder => holder.Connection);
    }
}
