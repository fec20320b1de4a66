using PushNode.Telemetry;

namespace PushNode.Connections;

/// <summary>Counts and logs the unhandled exceptions of which each costs one client its connection. Any thread.</summary>
internal sealed class ClientFailures(NodeMetrics metrics, TimeProvider time, ILogger log)
{
    private readonly LogPace _log = new(time);

    /// <summary>An exception that nobody expected: a bug.</summary>
    public void Report(Exception bug)
    {
        metrics.ClientFailed();
        if (_log.MaySay())
            log.ClientFailed(bug);
    }
}
