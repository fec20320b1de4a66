using Microsoft.Extensions.Logging;

namespace PushHosting.Logging;

/// <summary>All log messages of this project: event ids 1000 to 1999.</summary>
internal static partial class Log
{
    [LoggerMessage(1000, LogLevel.Information, "The node's page is at {Url}/; health, readiness and metrics are at /healthz, /readyz and /metrics.")]
    public static partial void ManagementOpened(this ILogger logger, string url);

    [LoggerMessage(1001, LogLevel.Warning, "Instrument {Instrument} of meter {Meter} is not on /metrics: an instrument of another type already has its name {Name}.")]
    public static partial void MetricNameTaken(this ILogger logger, string instrument, string meter, string name);

    [LoggerMessage(1012, LogLevel.Warning, "The management port has {Limit} connections, its limit, and closes the oldest for each new one. Look for clients that send no request.")]
    public static partial void ManagementFull(this ILogger logger, int limit);

    [LoggerMessage(1013, LogLevel.Error, "Unhandled exception while sampling the metrics for the node's page; the page misses this sample.")]
    public static partial void SampleFailed(this ILogger logger, Exception e);
}
