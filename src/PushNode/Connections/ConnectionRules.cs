using PushNode.Settings;

namespace PushNode.Connections;

/// <summary>What all connections of a node share: their settings and their clock. Immutable.</summary>
internal sealed record ConnectionRules(ConnectionSettings Connections, OutboxSettings Outbox, TimeProvider Time);
