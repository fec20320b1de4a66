using Microsoft.Extensions.Logging.Abstractions;
using PushHosting.Logging;

namespace PushNode.Telemetry;

/// <summary>Counts the unhandled exceptions of one stage, which are bugs, and rate-limits their log lines. Any thread.</summary>
internal sealed class Failures(FailedStage stage, NodeMetrics metrics, TimeProvider time, ILogger? logger = null)
{
    private readonly ILogger _logger = logger ?? NullLogger.Instance;
    private readonly LogPace _pace = new(time);

    /// <summary>An exception was contained.</summary>
    /// <param name="log">Writes the line; not called if one was written less than ten seconds ago.</param>
    public void Add(Action<ILogger> log)
    {
        metrics.Failed(stage);
        if (_pace.MayLog())
            log(_logger);
    }
}

/// <summary>The stage that contained an unhandled exception (push_failures_total).</summary>
internal enum FailedStage
{
    /// <summary>Merging a room: its waiting messages are dropped.</summary>
    Merge,

    /// <summary>Subscribing a room, or answering the JOINs that wait for it: they may get no answer.</summary>
    Subscription,

    /// <summary>Pushing a frame: the member's connection is closed.</summary>
    FanOut,

    /// <summary>Handling a client's bytes, requests or deadlines: its connection is closed.</summary>
    Client,

    /// <summary>Reporting the node's counts: they may be wrong until they change.</summary>
    Counts,

    /// <summary>Reading a room's history: it is tried again.</summary>
    History,

    /// <summary>Telling the receiver of hooks: the batch is dropped.</summary>
    Hooks,
}
