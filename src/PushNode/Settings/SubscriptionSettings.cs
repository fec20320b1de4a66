using PushHosting.Settings;

namespace PushNode.Settings;

/// <summary>The keys under <c>Push:Subscription</c>.</summary>
internal sealed class SubscriptionSettings
{
    /// <summary>
    /// How long a room's channel stays subscribed after its last member left, so that members can come and go without commands to Redis.
    /// </summary>
    [Duration("00:00:00", "01:00:00")]
    public TimeSpan Linger { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The maximum number of rooms that the node is subscribed to, including lingering ones. At the limit, a new room replaces a lingering
    /// one, or its JOIN is rejected. Redis can acknowledge this many after an outage well within 10 s, after which the link would be
    /// closed.
    /// </summary>
    [Number(1, 10_000_000)]
    public int MaxRooms { get; set; } = 250_000;
}
