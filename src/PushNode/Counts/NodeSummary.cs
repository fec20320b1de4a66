using PushBackplane.Counts;
using PushNode.Subscription;
using PushNode.Telemetry;

namespace PushNode.Counts;

/// <summary>The node's own totals, read when it reports. Lives as long as the node.</summary>
internal sealed class NodeSummary(NodeMetrics metrics, Rooms rooms, TimeProvider time)
{
    private readonly long _started = time.GetUtcNow().ToUnixTimeSeconds();

    /// <param name="occupied">Rooms with members.</param>
    /// <param name="users">Distinct users.</param>
    public NodeTotals Now(int occupied, int users) => new()
    {
        Started = _started,
        Connections = metrics.Connections,
        Rooms = occupied,
        Users = users,
        MessagesReceived = metrics.Received,
        MessagesMerged = metrics.Merged,
        BroadcastsMerged = rooms.Everyone.Merged,
        MessagesDropped = metrics.MessagesLost,
        FramesSent = metrics.Pushes,
        Deliveries = metrics.Deliveries,
        DeliveriesDropped = metrics.DeliveriesLost,
    };
}
