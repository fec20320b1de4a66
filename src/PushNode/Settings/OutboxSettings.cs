using PushHosting.Settings;

namespace PushNode.Settings;

/// <summary>The keys under <c>Push:Outbox</c>.</summary>
internal sealed class OutboxSettings : ICheckedSettings
{
    /// <summary>
    /// Bytes that may wait for one client. Must be at least the largest frame: four times <c>Push:Merge:MaxBatchBytes</c>, and its overhead.
    /// Frames are shared, so a thousand slow clients of one room hold its frames once.
    /// </summary>
    [Number(8_192, 1_073_741_824)]
    public int MaxBytes { get; set; } = 2 * 1024 * 1024;

    /// <summary>
    /// Bytes that may wait for all clients together, each shared frame counted once. Must hold one full outbox. Above 7/8 of it, the
    /// clients with the largest outboxes lose their queued frames or their connection, until the total is down to 3/4.
    /// </summary>
    [Number(8_192, 1_099_511_627_776)]
    public long MaxTotalBytes { get; set; } = 256 * 1024 * 1024;

    /// <summary>What happens to a client whose outbox is full.</summary>
    public WhenFull WhenFull { get; set; } = WhenFull.DropOldest;

    /// <summary>A client that takes nothing for this long is disconnected under either policy.</summary>
    [Duration("00:00:00.1", "01:00:00")]
    public TimeSpan StuckAfter { get; set; } = TimeSpan.FromSeconds(30);

    public string? Problem(string section) => MaxTotalBytes < MaxBytes
        ? $"{section}:MaxTotalBytes is {MaxTotalBytes}; it accepts at least {section}:MaxBytes, which is {MaxBytes}."
        : null;
}

/// <summary>What happens to a client whose outbox is full.</summary>
internal enum WhenFull
{
    /// <summary>Its oldest unsent frames are dropped and counted, and it gets a GAP.</summary>
    DropOldest,

    /// <summary>It is closed with 4008.</summary>
    Disconnect,
}
