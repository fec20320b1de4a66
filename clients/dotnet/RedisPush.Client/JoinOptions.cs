namespace RedisPush.Client;

/// <summary>
/// Where a room's messages begin, and what else comes with them. They count for the first subscription of a room; after a reconnect the client
/// continues by itself. A server without history ignores <see cref="Since"/>, and then a <see cref="PushGap"/> comes first.
/// </summary>
public sealed record JoinOptions
{
    /// <summary>
    /// Begin after this message; usually <see cref="PushSubscription.Position"/> of an earlier subscription, or the <see cref="PushMessage.Position"/> of
    /// the last message that was dealt with.
    /// </summary>
    public PushPosition? Since { get; init; }

    /// <summary>Begin with at most this many of the room's last messages. With <see cref="Since"/>: if the room cannot continue there.</summary>
    public int? Last { get; init; }

    /// <summary>
    /// Whether to read from the room's history what is missing at a gap, before anything else comes. What came back is not told as a gap; the rest is.
    /// </summary>
    public bool Heal { get; init; }

    /// <summary>
    /// Whether to be told how many members the room has: <see cref="PushOnline"/> events, and <see cref="PushSubscription.Online"/>.
    /// </summary>
    public bool Online { get; init; }
}
