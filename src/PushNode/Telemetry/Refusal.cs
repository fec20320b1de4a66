namespace PushNode.Telemetry;

/// <summary>Why an upgrade was refused (push_connections_refused_total).</summary>
internal enum Refusal
{
    /// <summary>The node has as many connections as it takes: 503.</summary>
    Full,

    /// <summary>The node is going away: 503.</summary>
    Draining,

    /// <summary>Pages of this origin may not connect: 403.</summary>
    Origin,

    /// <summary>The request is no WebSocket handshake: 400, 405 or 426.</summary>
    Handshake,
}
