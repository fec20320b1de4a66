namespace PushNode.Telemetry;

/// <summary>Everything the node logs. Nothing is logged per message.</summary>
internal static partial class Log
{
    [LoggerMessage(4001, LogLevel.Information, "Draining {Connections} connections, at most {Deadline}.")]
    public static partial void DrainBegun(this ILogger logger, int connections, TimeSpan deadline);

    [LoggerMessage(4002, LogLevel.Information, "Drained after {Elapsed}; {Cut} connections were cut because they did not finish closing.")]
    public static partial void DrainEnded(this ILogger logger, TimeSpan elapsed, int cut);

    [LoggerMessage(4003, LogLevel.Warning, "Out of {Resource} (error {Error}): new connections wait. Raise the process's limit or lower Push:Connections:Max.")]
    public static partial void AcceptPaused(this ILogger logger, string resource, int error);

    [LoggerMessage(4004, LogLevel.Error, "A client's bytes met a bug; its connection is cut.")]
    public static partial void ClientFailed(this ILogger logger, Exception bug);
}
