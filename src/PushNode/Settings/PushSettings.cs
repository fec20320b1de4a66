using PushHosting.Settings;
using PushNode.Messages;

namespace PushNode.Settings;

/// <summary>The keys under <c>Push</c>, one class per stage.</summary>
internal sealed class PushSettings : ICheckedSettings
{
    public const string Section = "Push";

    /// <summary>The node's name; empty means host:port.</summary>
    public string Node { get; set; } = "";

    /// <summary>The transport of clients' connections on plain ports.</summary>
    public TransportKind Transport { get; set; } = TransportKind.Auto;

    public SubscriptionSettings Subscription { get; set; } = new();

    public MergeSettings Merge { get; set; } = new();

    public HistorySettings History { get; set; } = new();

    public CompressionSettings Compression { get; set; } = new();

    public FanOutSettings FanOut { get; set; } = new();

    public OutboxSettings Outbox { get; set; } = new();

    public ConnectionSettings Connections { get; set; } = new();

    public SendSettings Send { get; set; } = new();

    public AuthSettings Auth { get; set; } = new();

    public DrainSettings Drain { get; set; } = new();

    public LiveRoomSettings LiveRoom { get; set; } = new();

    public CountsSettings Counts { get; set; } = new();

    /// <summary><see cref="Node"/>, or its default.</summary>
    public string NodeOr(string name) => Node.Length > 0 ? Node : name;

    public string? Problem(string section)
    {
        // Commands do not accept a name with a star.
        if (Node.Length > 128 || Node.Any(c => char.IsControl(c) || c == '*'))
            return $"{section}:Node is too long, or has control characters or a star; it accepts up to 128 other characters, for example node-1.";
        if (Drain.LeastClosesPerSecond(Connections.Max) is var least && Drain.ClosesPerSecond < least)
            return $"{section}:Drain:ClosesPerSecond is {Drain.ClosesPerSecond}; it accepts at least {least}, so that a full node ({section}:Connections:Max {Connections.Max}) "
                + $"is closed within {section}:Drain:Deadline ({Drain.Deadline:c}) less {DrainSettings.EchoTime.TotalSeconds} s.";
        if (FanOut.Sends == SendKind.IoUring && Transport == TransportKind.Stream)
            return $"{section}:FanOut:Sends is 'IoUring', which needs the epoll transport; with {section}:Transport=Stream it accepts Auto or Send.";
        if (Connections.SharePort && Node.Length == 0)
            return $"{section}:Node is empty; with {section}:Connections:SharePort it accepts a name that no other node of the port has.";
        if (Connections.SharePort && Transport == TransportKind.Stream)
            return $"{section}:Connections:SharePort is 'True', which needs the epoll transport; with {section}:Transport=Stream it accepts False.";
        var largestFrame = Merge.MaxWaitingBytes + (long)RoomFrames.MaxOverhead;
        return Outbox.MaxBytes < largestFrame
            ? $"{section}:Outbox:MaxBytes is {Outbox.MaxBytes}; it accepts at least the largest frame, {largestFrame} bytes "
                + $"(four times {section}:Merge:MaxBatchBytes and {RoomFrames.MaxOverhead})."
            : null;
    }
}

/// <summary>The transport of clients' connections on plain ports. Kestrel always carries TLS.</summary>
internal enum TransportKind
{
    /// <summary>Epoll if the machine can run it, otherwise Stream.</summary>
    Auto,

    /// <summary>Kestrel's own sockets.</summary>
    Stream,

    /// <summary>The node's own epoll loops under Kestrel, which release a connection's HTTP objects after the handshake.</summary>
    Epoll,
}
