using Microsoft.Extensions.Logging;

namespace PushHosting.Logging;

internal static partial class Log
{
    [LoggerMessage(1000, LogLevel.Information, "Health, readiness and metrics are at {Url}/healthz, /readyz and /metrics.")]
    public static partial void ManagementOpened(this ILogger logger, string url);

    [LoggerMessage(1001, LogLevel.Warning, "Instrument {Instrument} of meter {Meter} is not on /metrics: its name {Name} belongs to another instrument of another type.")]
    public static partial void MetricNameTaken(this ILogger logger, string instrument, string meter, string name);

    [LoggerMessage(1012, LogLevel.Warning, "The management port has {Limit} connections, its limit: the oldest is closed for each newcomer. Look for clients that connect and ask for nothing.")]
    public static partial void ManagementFull(this ILogger logger, int limit);
}
