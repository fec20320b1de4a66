using PushHosting.Logging;
using PushNode.Telemetry;

namespace PushNode.Transport.Epoll;

/// <summary>Counts and says that the node cannot accept connections. Any thread.</summary>
internal sealed class AcceptPauses(NodeMetrics metrics, TimeProvider time, ILogger<AcceptPauses> logger)
{
    private readonly LogPace _log = new(time);

    /// <param name="error">The error number of accept(2) or epoll_ctl(2).</param>
    public void Paused(int error)
    {
        metrics.AcceptPaused();
        if (_log.MayLog())
            logger.AcceptPaused(error switch { Libc.EMFILE or Libc.ENFILE => "descriptors", Libc.ENOSPC => "epoll watches", _ => "memory" }, error);
    }
}
