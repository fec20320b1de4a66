using PushNode.Telemetry;

namespace PushNode.Transport.Epoll;

/// <summary>Says that the node cannot accept connections, at most once in ten seconds. Any thread.</summary>
internal sealed class AcceptPauses(NodeMetrics metrics, TimeProvider time, ILogger<AcceptPauses> logger)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private long _loggedAt;

    /// <param name="error">The error number of accept(2) or epoll_ctl(2).</param>
    public void Paused(int error)
    {
        metrics.AcceptPaused();
        var loggedAt = Volatile.Read(ref _loggedAt);
        var now = time.GetTimestamp();
        if ((loggedAt == 0 || time.GetElapsedTime(loggedAt, now) >= Interval) && Interlocked.CompareExchange(ref _loggedAt, now, loggedAt) == loggedAt)
            logger.AcceptPaused(error switch { Libc.EMFILE or Libc.ENFILE => "descriptors", Libc.ENOSPC => "epoll watches", _ => "memory" }, error);
    }
}
