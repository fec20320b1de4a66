namespace PushNode.Telemetry;

/// <summary>Why expected deliveries did not happen (push_deliveries_dropped_total).</summary>
internal enum DeliveryDrop
{
    /// <summary>The client took its frames too slowly and the outbox was full.</summary>
    Slow,

    /// <summary>All outboxes together held too much, and this client's was among the largest.</summary>
    OutboxTotal,

    /// <summary>The client left the room while the frame was on its way.</summary>
    Left,

    /// <summary>The connection closed before the frame was accepted.</summary>
    Closed,

    /// <summary>An exception while the frame was pushed: a bug.</summary>
    Failed,
}
