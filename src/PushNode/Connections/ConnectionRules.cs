using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.Connections;

/// <summary>What all connections of a node share.</summary>
/// <param name="Connections">Limits and times.</param>
/// <param name="Outbox">What may wait for a client.</param>
/// <param name="Time">The clock of all time stamps.</param>
/// <param name="Metrics">Where connections count.</param>
/// <param name="Ended">Called once for each connection, when it has ended and its session is over.</param>
internal sealed record ConnectionRules(ConnectionSettings Connections, OutboxSettings Outbox, TimeProvider Time, NodeMetrics Metrics, Action Ended)
{
    /// <summary>What a client may send.</summary>
    public RateLimit Messages { get; } = new(Connections.MessagesPerSecond, Connections.MessageBurst, Time);

    /// <summary>What a client may send before it is closed: as much again is refused.</summary>
    public RateLimit MessagesAndRefused { get; } = new(Connections.MessagesPerSecond, 2 * Connections.MessageBurst, Time);

    /// <summary>What waits for all clients together.</summary>
    public OutboxTotal OutboxTotal { get; init; } = new(Outbox.MaxTotalBytes);

    /// <summary>Counts and logs the bugs that cost a client its connection.</summary>
    public Failures Failures { get; init; } = new(FailedStage.Client, Metrics, Time);
}
