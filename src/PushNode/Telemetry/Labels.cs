namespace PushNode.Telemetry;

/// <summary>Why a connection was cut before it became a WebSocket (push_handshakes_cut_total).</summary>
internal enum HandshakeCut
{
    /// <summary>It took longer than Push:Connections:HandshakeTimeout.</summary>
    Late,

    /// <summary>Push:Connections:MaxHandshakes was reached and it was the oldest: a new connection got its place.</summary>
    Evicted,

    /// <summary>Push:Connections:MaxHandshakes was reached, and it was the new one: none of the others was a second old.</summary>
    Full,
}

/// <summary>Which limit refused a client's request (push_requests_refused_total). The names are those of the protocol's error codes.</summary>
internal enum RequestRefusal
{
    /// <summary>The connection is in as many rooms as it may be.</summary>
    RoomLimit,

    /// <summary>Too many requests wait behind a JOIN, or too many JOINs of one room for the backplane.</summary>
    TooManyRequests,

    /// <summary>The client has sent more JOINs than its rate allows.</summary>
    TooManyJoins,

    /// <summary>The node has as many rooms as it may have.</summary>
    TooManyRooms,
}

/// <summary>Why messages were dropped before they reached a batch (push_messages_dropped_total).</summary>
internal enum MessageDrop
{
    /// <summary>Not valid UTF-8.</summary>
    InvalidUtf8,

    /// <summary>An envelope that is cut, malformed or of an unknown version; counts as one message.</summary>
    BadEnvelope,

    /// <summary>One message larger than a whole batch may be.</summary>
    TooLarge,

    /// <summary>The merge stage's inbox is full: messages arrive faster than they can be merged.</summary>
    InboxFull,

    /// <summary>While the room's previous frame was on its way, its batch outgrew four times its cap, or lay between two losses.</summary>
    BatchFull,

    /// <summary>An exception while the room was merged: a bug.</summary>
    Failed,
}

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

/// <summary>What became of a message on the control channel (push_control_messages_total).</summary>
internal enum ControlResult
{
    /// <summary>The node has begun to drain, or was taken back.</summary>
    Applied,

    /// <summary>The node was so already, or the program ends.</summary>
    Unchanged,

    /// <summary>It names another node.</summary>
    OtherNode,

    /// <summary>It is longer than any command.</summary>
    TooLarge,

    /// <summary>It is not JSON in UTF-8.</summary>
    BadJson,

    /// <summary>JSON but no command to this node.</summary>
    BadCommand,
}
