using PushHosting.Settings;

namespace PushNode.Settings;

/// <summary>The keys under <c>Push:Merge</c>.</summary>
internal sealed class MergeSettings
{
    /// <summary>The least time between two frames of a room.</summary>
    [Duration("00:00:00.01", "00:01:00")]
    public TimeSpan Window { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest that a quiet room's first message waits for company; the shortest is half of it, so that rooms do not tick in step.</summary>
    [Duration("00:00:00", "00:00:10")]
    public TimeSpan Gather { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// The time after an outage over which quiet rooms get their GAP, each at a random moment of it. 100,000 clients in 5 rooms each are 500,000 frames, some 5 s of one core.
    /// </summary>
    [Duration("00:00:00", "00:01:00")]
    public TimeSpan GapSpread { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>A batch this large is due at once; one message may be as large.</summary>
    [Number(1_024, 67_108_864)]
    public int MaxBatchBytes { get; set; } = 256 * 1024;

    /// <summary>Threads that validate and merge. A room belongs to one of them; 0 means one for every core.</summary>
    [Number(0, 256)]
    public int Workers { get; set; }

    /// <summary>Bytes received and not yet merged, per worker; what comes beyond is dropped and counted.</summary>
    [Number(1_048_576, 4_294_967_296)]
    public long MaxInboxBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>While a room's previous frame is on its way its batch may grow to so many bytes; then its oldest messages are dropped.</summary>
    public int MaxWaitingBytes => 4 * MaxBatchBytes;
}
