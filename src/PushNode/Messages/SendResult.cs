namespace PushNode.Messages;

/// <summary>How a SEND ended (push_sends_total).</summary>
internal enum SendResult
{
    /// <summary>The backplane has confirmed it.</summary>
    Published,

    /// <summary>The client has no user, or may not send into the room.</summary>
    Forbidden,

    /// <summary>Its item is missing or not accepted.</summary>
    BadItem,

    /// <summary>The user is muted.</summary>
    Muted,

    /// <summary>Too many of the connection wait for the backplane.</summary>
    InFlight,

    /// <summary>The connection sends too often.</summary>
    ConnectionRate,

    /// <summary>The user sends too often.</summary>
    UserRate,

    /// <summary>Too much is sent into the room.</summary>
    RoomRate,

    /// <summary>Too much waits for the backplane.</summary>
    Pending,

    /// <summary>The room has slow mode, and the user's last message is too recent.</summary>
    SlowMode,

    /// <summary>The backplane is unavailable.</summary>
    NotSent,

    /// <summary>The backplane did not confirm in time.</summary>
    NotConfirmed,

    /// <summary>An unhandled exception.</summary>
    Failed,
}
