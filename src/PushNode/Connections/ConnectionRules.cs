using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.Connections;

/// <summary>The limits and services that all connections of a node share.</summary>
/// <param name="Connections">Limits and times.</param>
/// <param name="Outbox">The limits of outboxes.</param>
/// <param name="Time">The clock of all time stamps.</param>
/// <param name="Metrics">Counts the frames that connections send, drop and refuse.</param>
/// <param name="Ended">Called once per connection, after it and its session have ended.</param>
internal sealed record ConnectionRules(ConnectionSettings Connections, OutboxSettings Outbox, TimeProvider Time, NodeMetrics Metrics, Action<Connection> Ended)
{
    /// <summary>The rate at which a client may send.</summary>
    public RateLimit Messages { get; } = new(Connections.MessagesPerSecond, Connections.MessageBurst, Time);

    /// <summary>
    /// The rate above which a client is closed: its burst is double, because up to one more burst is refused without closing.
    /// </summary>
    public RateLimit MessagesAndRefused { get; } = new(Connections.MessagesPerSecond, 2 * Connections.MessageBurst, Time);

    /// <summary>The total of all outboxes.</summary>
    public OutboxTotal OutboxTotal { get; init; } = new(Outbox.MaxTotalBytes);

    /// <summary>Counts and logs unhandled exceptions that cost a client its connection.</summary>
    public Failures Failures { get; init; } = new(FailedStage.Client, Metrics, Time);
}
