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

/// <summary>Where an exception was contained (push_failures_total).</summary>
internal enum FailedStage
{
    /// <summary>While a room was merged: its waiting messages are dropped.</summary>
    Merge,

    /// <summary>While a room was subscribed, or those who waited for it were told: they may stay without an answer.</summary>
    Subscription,

    /// <summary>While a frame was pushed: the member's connection is closed.</summary>
    FanOut,

    /// <summary>While a client's bytes, requests or time were handled: its connection is closed.</summary>
    Client,
}
