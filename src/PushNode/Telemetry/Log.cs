namespace PushNode.Telemetry;

/// <summary>Everything the node logs. Nothing is logged per message.</summary>
internal static partial class Log
{
    [LoggerMessage(4001, LogLevel.Information, "Draining {Connections} connections; this takes at most {Deadline}.")]
    public static partial void DrainBegun(this ILogger logger, int connections, TimeSpan deadline);

    [LoggerMessage(4002, LogLevel.Information, "Drained after {Elapsed}; {Cut} connections were cut because they did not finish closing.")]
    public static partial void DrainEnded(this ILogger logger, TimeSpan elapsed, int cut);

    [LoggerMessage(4003, LogLevel.Warning,
        "Out of {Resource} (error {Error}): new connections wait. Raise the process's limit or lower Push:Connections:Max.")]
    public static partial void AcceptPaused(this ILogger logger, string resource, int error);

    [LoggerMessage(4004, LogLevel.Error, "Unhandled exception while serving a client; connection closed.")]
    public static partial void ClientFailed(this ILogger logger, Exception e);

    [LoggerMessage(4005, LogLevel.Information, "io_uring unavailable ({Error}): each frame is sent with its own system call, which costs more CPU.")]
    public static partial void RingsUnavailable(this ILogger logger, string error);

    [LoggerMessage(4010, LogLevel.Information, "Listening for commands to {Node} on channel {Channel} of {Backplane}.")]
    public static partial void ControlListening(this ILogger logger, string node, string channel, string backplane);

    [LoggerMessage(4011, LogLevel.Information, "Draining by command: closing {Connections} connections, at most {ClosesPerSecond:0.#} per second.")]
    public static partial void DrainCommanded(this ILogger logger, int connections, double closesPerSecond);

    [LoggerMessage(4012, LogLevel.Information, "Drained by command after {Elapsed}: no connections are left. The node refuses clients until it is undrained.")]
    public static partial void Emptied(this ILogger logger, TimeSpan elapsed);

    [LoggerMessage(4013, LogLevel.Information, "Undrained by command: accepting clients again; {Connections} connections are open.")]
    public static partial void Undrained(this ILogger logger, int connections);

    [LoggerMessage(4014, LogLevel.Warning, "Ignored a message on channel {Channel}: it {Why}.")]
    public static partial void ControlRefused(this ILogger logger, string channel, string why);

    [LoggerMessage(4015, LogLevel.Warning, "Drain deadline near: closing {Connections} connections now.")]
    public static partial void DrainLate(this ILogger logger, int connections);

    [LoggerMessage(4020, LogLevel.Warning,
        "Outboxes held {Bytes} bytes, near Push:Outbox:MaxTotalBytes: {Trimmed} slow clients lost their queued frames, {Closed} were closed.")]
    public static partial void OutboxesShed(this ILogger logger, long bytes, int trimmed, int closed);

    [LoggerMessage(4026, LogLevel.Error,
        "Unhandled exception in the subscription of {Channel}; clients that wait for this room may get no answer. Other rooms are not affected.")]
    public static partial void SubscriptionFailed(this ILogger logger, string channel, Exception e);

    [LoggerMessage(4028, LogLevel.Warning,
        "{Limit} connections on the clients' ports are not open yet, which is the limit (Push:Connections:MaxHandshakes). For each new connection, one is cut. Look for clients that connect and send nothing.")]
    public static partial void HandshakesFull(this ILogger logger, int limit);

    [LoggerMessage(4029, LogLevel.Warning,
        "Drain: the {Stage} threads did not finish within {Elapsed}. Closing {Connections} connections now; messages that are still queued may be lost.")]
    public static partial void FlushLate(this ILogger logger, TimeSpan elapsed, string stage, int connections);

    [LoggerMessage(4032, LogLevel.Error, "Unhandled exception while merging a room: {Messages} messages dropped; its members get a GAP.")]
    public static partial void RoomFailed(this ILogger logger, Exception e, int messages);

    [LoggerMessage(4033, LogLevel.Error, "Unhandled exception while pushing to a client; connection closed.")]
    public static partial void MemberFailed(this ILogger logger, Exception e);

    [LoggerMessage(4034, LogLevel.Error,
        "Unhandled exception while sending to {Connections} connections at once; all of them closed. This fan-out thread sends to one connection at a time from now on.")]
    public static partial void SenderFailed(this ILogger logger, Exception e, int connections);

    [LoggerMessage(4035, LogLevel.Error, "Unhandled exception while pushing a frame to a shard; its members do not get the frame.")]
    public static partial void ShardFailed(this ILogger logger, Exception e);
}
