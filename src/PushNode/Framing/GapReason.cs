namespace PushNode.Framing;

/// <summary>Why a client misses messages, as a GAP says it. docs/protocol.md is the catalogue's home.</summary>
internal static class GapReason
{
    /// <summary>This client took its frames too slowly; the oldest ones were dropped.</summary>
    public const string Slow = "slow";

    /// <summary>The node could not keep up with the room; the oldest messages were dropped for all its members.</summary>
    public const string Overload = "overload";

    /// <summary>A bug made the node drop what waited for the room.</summary>
    public const string Failed = "failed";

    /// <summary>The node was cut off from the backplane; nobody knows what was published meanwhile.</summary>
    public const string Backplane = "backplane";
}
