namespace PushNode.Settings;

/// <summary>What happens to a client whose outbox is full.</summary>
internal enum WhenFull
{
    /// <summary>Its oldest whole unsent frames are dropped, counted, and a GAP tells it.</summary>
    DropOldest,

    /// <summary>It is closed with 4008.</summary>
    Disconnect,
}
