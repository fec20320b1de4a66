namespace PushNode.Subscription;

/// <summary>Whether what is published to a room from now on arrives.</summary>
internal enum RoomState
{
    /// <summary>The channel is not acknowledged yet, or the node has not tried yet to connect to the room's server.</summary>
    Pending,

    /// <summary>The channel is acknowledged and the room's server is up.</summary>
    Receiving,

    /// <summary>The room's server is unavailable.</summary>
    Away,
}
