using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.Connections;

/// <summary>What all connections of a node share. Immutable.</summary>
/// <param name="Connections">Limits and times.</param>
/// <param name="Outbox">What may wait for a client.</param>
/// <param name="Time">The clock of all time stamps.</param>
/// <param name="Metrics">Where connections count.</param>
/// <param name="Ended">Called once for each connection, when it has ended and its session is over.</param>
internal sealed record ConnectionRules(ConnectionSettings Connections, OutboxSettings Outbox, TimeProvider Time, NodeMetrics Metrics, Action Ended);
