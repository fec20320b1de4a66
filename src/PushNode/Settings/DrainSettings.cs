using PushHosting;

namespace PushNode.Settings;

/// <summary>The keys under <c>Push:Drain</c>: how a node goes away.</summary>
internal sealed class DrainSettings
{
    /// <summary>Clients closed per second, so that the other nodes are not stormed.</summary>
    [Number(1, 1_000_000)]
    public int ClosesPerSecond { get; set; } = 1000;

    /// <summary>When the draining must be over; clients still there are closed at once and cut shortly after.</summary>
    [Duration("00:00:00.5", "01:00:00")]
    public TimeSpan Deadline { get; set; } = TimeSpan.FromSeconds(8);

    /// <summary>The middle of the reconnect hint in the close frame; each client is given between half and one and a half of it.</summary>
    [Duration("00:00:00.01", "00:10:00")]
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(1);
}
