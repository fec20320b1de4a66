using PushNode.Settings;

namespace PushNode.Merging;

/// <summary>The merge settings in the clock's ticks. Immutable; any thread.</summary>
internal sealed class MergeClock(MergeSettings settings, TimeProvider time)
{
    public MergeSettings Settings { get; } = settings;

    /// <summary>The shortest time between two frames of a room.</summary>
    public long Window { get; } = Ticks(settings.Window, time);

    public long Now => time.GetTimestamp();

    /// <summary>
    /// How long a quiet room's first message waits for others: a random time between half the setting and all of it, so that rooms do not
    /// send in step.
    /// </summary>
    public long Gather() => (long)(Ticks(Settings.Gather, time) * (0.5 + Random.Shared.NextDouble() / 2));

    /// <summary>How long after an outage a quiet room gets its GAP: a random time up to the setting.</summary>
    public long GapDelay() => (long)(Ticks(Settings.GapSpread, time) * Random.Shared.NextDouble());

    public TimeSpan Until(long due, long now) => due <= now ? TimeSpan.Zero : time.GetElapsedTime(now, due);

    private static long Ticks(TimeSpan duration, TimeProvider time) => (long)(duration.TotalSeconds * time.TimestampFrequency);
}
