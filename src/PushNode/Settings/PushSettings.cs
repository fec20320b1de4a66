using PushHosting;
using PushNode.Framing;

namespace PushNode.Settings;

/// <summary>The keys under <c>Push</c>, one class per stage.</summary>
internal sealed class PushSettings : ICheckedSettings
{
    public const string Section = "Push";

    /// <summary>What this node calls itself; empty means host:port.</summary>
    public string Node { get; set; } = "";

    public SubscriptionSettings Subscription { get; set; } = new();

    public MergeSettings Merge { get; set; } = new();

    public FanOutSettings FanOut { get; set; } = new();

    public OutboxSettings Outbox { get; set; } = new();

    public ConnectionSettings Connections { get; set; } = new();

    public DrainSettings Drain { get; set; } = new();

    public string? Problem(string section)
    {
        if (Node.Length > 128 || Node.Any(char.IsControl))
            return $"{section}:Node is too long or has control characters; it accepts up to 128 characters, for example node-1.";
        var largestFrame = Merge.MaxWaitingBytes + (long)RoomFrames.MaxOverhead;
        return Outbox.MaxBytes < largestFrame
            ? $"{section}:Outbox:MaxBytes is {Outbox.MaxBytes}; it accepts no less than the largest frame, {largestFrame} bytes (four times {section}:Merge:MaxBatchBytes and {RoomFrames.MaxOverhead})."
            : null;
    }
}
