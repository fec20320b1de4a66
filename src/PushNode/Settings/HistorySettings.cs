using PushHosting.Settings;

namespace PushNode.Settings;

/// <summary>What a node remembers of the rooms that have a history, or <c>Rooms:N:Recent</c> (<c>Push:History</c>).</summary>
public sealed class HistorySettings
{
    /// <summary>The largest sum of the messages that a node remembers of one room, in bytes.</summary>
    [Number(1_024, 1_073_741_824)]
    public long MaxRingBytes { get; set; } = 4 * 1024 * 1024;

    /// <summary>The largest sum of the messages that a node remembers of all rooms. Above it, each room keeps only its last message.</summary>
    [Number(1_024, 1_099_511_627_776)]
    public long MaxTotalBytes { get; set; } = 256 * 1024 * 1024;

    /// <summary>The largest sum of the messages of one room that wait while the room's history is read. More are dropped, and read afterwards.</summary>
    [Number(1_024, 1_073_741_824)]
    public long MaxHeldBytes { get; set; } = 4 * 1024 * 1024;

    /// <summary>How many reads of histories a node has under way at once.</summary>
    [Number(1, 10_000)]
    public int MaxReads { get; set; } = 64;
}
