using PushHosting.Settings;

namespace PushNode.Settings;

/// <summary>The keys under <c>Push:Subscription</c>.</summary>
internal sealed class SubscriptionSettings
{
    /// <summary>How long a room's channel stays subscribed after its last member left, so that flapping costs nothing.</summary>
    [Duration("00:00:00", "01:00:00")]
    public TimeSpan Linger { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Rooms the node is subscribed to, those that linger included. Beyond it a new room takes the place of one that lingers, or its JOIN is refused. As many as
    /// a Redis acknowledges again after an outage well within the 10 s for which a link is given up otherwise.
    /// </summary>
    [Number(1, 10_000_000)]
    public int MaxRooms { get; set; } = 250_000;
}
