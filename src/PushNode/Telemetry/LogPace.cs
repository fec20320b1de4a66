namespace PushNode.Telemetry;

/// <summary>Keeps what others can cause as often as they like from filling the log: one line in ten seconds. Any thread.</summary>
internal sealed class LogPace(TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private long _saidAt;

    /// <summary>Whether a line may be written; if so, the next ten seconds are taken.</summary>
    public bool MaySay()
    {
        var saidAt = Volatile.Read(ref _saidAt);
        var now = time.GetTimestamp();
        return (saidAt == 0 || time.GetElapsedTime(saidAt, now) >= Interval) && Interlocked.CompareExchange(ref _saidAt, now, saidAt) == saidAt;
    }
}
