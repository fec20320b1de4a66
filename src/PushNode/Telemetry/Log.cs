using PushBackplane;

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

    [LoggerMessage(4016, LogLevel.Information, "Draining for the live room: closing {Connections} connections, then accepting clients again.")]
    public static partial void DrainShown(this ILogger logger, int connections);

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

    [LoggerMessage(4300, LogLevel.Information, "Read {Keys} keys of Push:Auth:Jwks; skipped {Skipped} that do not verify tokens here.")]
    public static partial void KeySetRead(this ILogger logger, int keys, int skipped);

    [LoggerMessage(4301, LogLevel.Warning, "Push:Auth:Jwks {Problem}. {Keys} keys stay in use; further attempts follow and are not logged until one succeeds.")]
    public static partial void KeySetFailed(this ILogger logger, string problem, int keys);

    [LoggerMessage(4302, LogLevel.Information, "Push:Auth:Jwks can be read again; {Keys} keys are in use.")]
    public static partial void KeySetBack(this ILogger logger, int keys);

    [LoggerMessage(4320, LogLevel.Information, "Bans and mutes read: {Count} are not over.")]
    public static partial void RestrictionsRead(this ILogger logger, int count);

    [LoggerMessage(4321, LogLevel.Warning,
        "Bans and mutes cannot be read: {Cause}. Those that are kept there do not apply here; commands still do. Read again at the next return of the server.")]
    public static partial void RestrictionsRefused(this ILogger logger, string cause);

    [LoggerMessage(4323, LogLevel.Error, "Unhandled exception in a SEND; the client gets ERROR not_confirmed, and the message may or may not have been published.")]
    public static partial void SendFailed(this ILogger logger, Exception e);

    [LoggerMessage(4322, LogLevel.Error, "Unhandled exception while reading bans and mutes; the node goes on with those that it knows.")]
    public static partial void RestrictionsFailed(this ILogger logger, Exception e);

    [LoggerMessage(4440, LogLevel.Error, "Unhandled exception in a HISTORY; the client gets ERROR history_away.")]
    public static partial void HistoryRequestFailed(this ILogger logger, Exception e);

    [LoggerMessage(4340, LogLevel.Warning, "{Description} refuses the node's counts: {Cause}. The farm's counts do not include this node; retrying every second.")]
    public static partial void CountsRefused(this ILogger logger, string description, string cause);

    [LoggerMessage(4341, LogLevel.Information, "{Description} takes the node's counts again.")]
    public static partial void CountsKept(this ILogger logger, string description);

    [LoggerMessage(4342, LogLevel.Error, "Unhandled exception while reporting counts; they may be wrong until they change.")]
    public static partial void CountsFailed(this ILogger logger, Exception e);

    [LoggerMessage(4350, LogLevel.Information, "Warm after {Handshakes} handshakes with itself, in {Time}.")]
    public static partial void Warmed(this ILogger logger, int handshakes, TimeSpan time);

    [LoggerMessage(4351, LogLevel.Warning, "Not warm: no handshake with itself ({Cause}). The first handshakes will cost twice as much.")]
    public static partial void NotWarmed(this ILogger logger, string cause);

    [LoggerMessage(4360, LogLevel.Warning, "Refusing clients of {Network}, and perhaps of other addresses, because of {Setting}.")]
    public static partial void AddressRefused(this ILogger logger, object network, string setting);

    [LoggerMessage(4361, LogLevel.Warning,
        "Refusing clients of {Network}, which look like clients of a proxy: if it is yours, name it in Proxies:Trusted, so that its clients are counted by their own addresses.")]
    public static partial void ProxyRefused(this ILogger logger, object network);

    [LoggerMessage(4400, LogLevel.Error, "Unhandled exception while reading the history of room {Room}; it is read again.")]
    public static partial void HistoryReadFailed(this ILogger logger, RoomId room, Exception e);

    [LoggerMessage(4380, LogLevel.Warning, "Hooks: {Receiver} does not accept events ({Cause}). They wait and are sent again; the oldest are dropped after Hooks:GiveUpAfter.")]
    public static partial void HooksAway(this ILogger logger, string receiver, string cause);

    [LoggerMessage(4381, LogLevel.Information, "Hooks: {Receiver} accepts events again.")]
    public static partial void HooksReturned(this ILogger logger, string receiver);

    [LoggerMessage(4382, LogLevel.Error, "Hooks: {Receiver} rejects events ({Cause}), so they are dropped. Correct Hooks:Url, or the receiver.")]
    public static partial void HooksRejected(this ILogger logger, string receiver, string cause);

    [LoggerMessage(4383, LogLevel.Error, "Unhandled exception while sending events to the hooks' receiver; the batch is dropped.")]
    public static partial void HooksFailed(this ILogger logger, Exception e);
}
