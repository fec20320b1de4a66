namespace PushNode.Telemetry;

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
