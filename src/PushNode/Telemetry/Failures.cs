using Microsoft.Extensions.Logging.Abstractions;
using PushHosting.Logging;

namespace PushNode.Telemetry;

/// <summary>Counts the bugs of one stage that are contained where they cost least, and rate-limits their log lines. Any thread.</summary>
internal sealed class Failures(FailedStage stage, NodeMetrics metrics, TimeProvider time, ILogger? logger = null)
{
    private readonly ILogger _logger = logger ?? NullLogger.Instance;
    private readonly LogPace _pace = new(time);

    /// <summary>An exception was contained.</summary>
    /// <param name="log">Writes the line, if one may be written now.</param>
    public void Add(Action<ILogger> log)
    {
        metrics.Failed(stage);
        if (_pace.MayLog())
            log(_logger);
    }
}
