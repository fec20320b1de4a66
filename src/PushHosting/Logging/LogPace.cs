namespace PushHosting.Logging;

/// <summary>Rate-limits log lines that clients can trigger: at most one in ten seconds. Any thread.</summary>
public sealed class LogPace(TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private long _loggedAt;

    /// <summary>Whether a line may be logged now. True starts the next ten seconds.</summary>
    public bool MayLog()
    {
        var loggedAt = Volatile.Read(ref _loggedAt);
        var now = time.GetTimestamp();
        return (loggedAt == 0 || time.GetElapsedTime(loggedAt, now) >= Interval)
            && Interlocked.CompareExchange(ref _loggedAt, now, loggedAt) == loggedAt;
    }
}
