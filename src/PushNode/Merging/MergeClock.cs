using PushNode.Settings;

namespace PushNode.Merging;

/// <summary>The merge settings in the clock's ticks. Immutable; any thread.</summary>
internal sealed class MergeClock(MergeSettings settings, TimeProvider time)
{
    private static readonly TimeSpan MaxStep = TimeSpan.FromMilliseconds(5);

    public MergeSettings Settings { get; } = settings;

    /// <summary>The shortest time between two frames of a room.</summary>
    public long Window { get; } = Ticks(settings.Window, time);

    /// <summary>
    /// The stage's time goes in steps, so that many rooms that are due at almost the same time wake a worker and the shards once. Small against
    /// <see cref="MergeSettings.Gather"/>; none if there is none to speak of.
    /// </summary>
    public long Step { get; } = Math.Clamp(Ticks(settings.Gather, time) / 10, 1, Ticks(MaxStep, time));

    /// <summary>The length of a step that a thread may sleep through; 0 if there is none to speak of.</summary>
    public TimeSpan StepTime => time.GetElapsedTime(0, Step) is var step && step >= TimeSpan.FromMilliseconds(1) ? step : TimeSpan.Zero;

    /// <summary>When the present step began, as a time stamp.</summary>
    public long Now
    {
        get
        {
            var now = time.GetTimestamp();
            return now - now % Step;
        }
    }

    /// <summary>
    /// How long a quiet room's first message waits for others: a random number of steps between half the setting and all of it, so that rooms do not
    /// send in step.
    /// </summary>
    public long Gather()
    {
        var gather = (long)(Ticks(Settings.Gather, time) * (0.5 + Random.Shared.NextDouble() / 2));
        return gather - gather % Step;
    }

    /// <summary>How long after an outage a quiet room gets its GAP: a random time up to the setting.</summary>
    public long GapDelay() => (long)(Ticks(Settings.GapSpread, time) * Random.Shared.NextDouble());

    public TimeSpan Until(long due, long now) => due <= now ? TimeSpan.Zero : time.GetElapsedTime(now, due);

    /// <summary>The time since a step began.</summary>
    public TimeSpan Since(long step) => time.GetElapsedTime(step);

    private static long Ticks(TimeSpan duration, TimeProvider time) => (long)(duration.TotalSeconds * time.TimestampFrequency);
}
