using PushHosting.Settings;

namespace PushNode.Settings;

/// <summary>The keys under <c>Push:Merge</c>.</summary>
internal sealed class MergeSettings
{
    /// <summary>The shortest time between two frames of a room.</summary>
    [Duration("00:00:00.01", "00:01:00")]
    public TimeSpan Window { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long a quiet room's first message waits for more: between half of this and all of it, so that rooms do not send in step.
    /// </summary>
    [Duration("00:00:00", "00:00:10")]
    public TimeSpan Gather { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// The time after an outage over which quiet rooms get their GAP, each at a random moment. 100,000 clients in 5 rooms each are
    /// 500,000 frames, about 5 s of one core.
    /// </summary>
    [Duration("00:00:00", "00:01:00")]
    public TimeSpan GapSpread { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>A batch of this size is due at once. Also the limit of one message.</summary>
    [Number(1_024, 67_108_864)]
    public int MaxBatchBytes { get; set; } = 256 * 1024;

    /// <summary>Threads that validate and merge, each with its own rooms; 0 means one for every core.</summary>
    [Number(0, 256)]
    public int Workers { get; set; }

    /// <summary>Bytes received and not yet merged, per worker. Messages beyond this limit are dropped and counted.</summary>
    [Number(1_048_576, 4_294_967_296)]
    public long MaxInboxBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>The limit of a room's batch while its previous frame is under way; beyond it, the oldest messages are dropped.</summary>
    public int MaxWaitingBytes => 4 * MaxBatchBytes;
}
