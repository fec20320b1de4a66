namespace PushNode.Telemetry;

// The values of the counters' labels: each name in snake case (LabelledCounter). Those of push_failures_total are in Failures.cs.

/// <summary>Why a connection was cut before it became a WebSocket (push_handshakes_cut_total).</summary>
internal enum HandshakeCut
{
    /// <summary>It took longer than Push:Connections:HandshakeTimeout.</summary>
    Late,

    /// <summary>Push:Connections:MaxHandshakes was reached, and it was the oldest, so a new connection took its place.</summary>
    Evicted,

    /// <summary>Push:Connections:MaxHandshakes was reached, and it was the newest, and all others were less than a second old.</summary>
    Full,
}

/// <summary>Why messages were dropped before they reached a batch (push_messages_dropped_total).</summary>
internal enum MessageDrop
{
    /// <summary>Not valid UTF-8.</summary>
    InvalidUtf8,

    /// <summary>A truncated or malformed envelope, or one of an unknown version; counts as one message.</summary>
    BadEnvelope,

    /// <summary>One message larger than the limit of a batch.</summary>
    TooLarge,

    /// <summary>The merge stage's inbox is full: messages arrive faster than they can be merged.</summary>
    InboxFull,

    /// <summary>While the room's previous frame was under way, its batch outgrew four times its limit, or a second loss occurred.</summary>
    BatchFull,

    /// <summary>An unhandled exception while the room was merged.</summary>
    Failed,

    /// <summary>The room's members have it already: it came twice, from the channel and from the room's history.</summary>
    Known,

    /// <summary>Too many messages waited while the room's history was read. They are read again.</summary>
    HeldFull,
}

/// <summary>Why expected deliveries did not happen (push_deliveries_dropped_total).</summary>
internal enum DeliveryDrop
{
    /// <summary>The client took its frames too slowly and the outbox was full.</summary>
    Slow,

    /// <summary>All outboxes together held too much, and this client's was among the largest.</summary>
    OutboxTotal,

    /// <summary>The client left the room while the frame was under way.</summary>
    Left,

    /// <summary>The connection closed before the frame was accepted.</summary>
    Closed,

    /// <summary>An unhandled exception while the frame was pushed.</summary>
    Failed,
}

/// <summary>The result of a message on the control channel (push_control_messages_total).</summary>
internal enum ControlResult
{
    /// <summary>The node began to drain, or was undrained; or it found connections of the user, or noted or forgot a restriction.</summary>
    Applied,

    /// <summary>The node was already in that state, or the program is ending; or the node has no connection of the user.</summary>
    Unchanged,

    /// <summary>It names another node.</summary>
    OtherNode,

    /// <summary>It is longer than any command.</summary>
    TooLarge,

    /// <summary>It is not JSON in UTF-8.</summary>
    BadJson,

    /// <summary>It is JSON, but not a command to this node.</summary>
    BadCommand,

    /// <summary>It tells of a restriction, and the node knows as many as it may (Backplane:MaxRestrictions).</summary>
    Full,
}

/// <summary>The result of a reading of the key set (push_key_set_reads_total).</summary>
internal enum KeySetReading
{
    /// <summary>Its keys are in use.</summary>
    Ok,

    /// <summary>It could not be read, or has no usable key; the keys from before stay in use.</summary>
    Failed,
}
