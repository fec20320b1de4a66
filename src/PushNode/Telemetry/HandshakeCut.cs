namespace PushNode.Telemetry;

/// <summary>Why a connection was cut before it became a WebSocket (push_handshakes_cut_total).</summary>
internal enum HandshakeCut
{
    /// <summary>It took longer than Push:Connections:HandshakeTimeout.</summary>
    Late,

    /// <summary>Push:Connections:MaxHandshakes was reached and it was the oldest: a new connection got its place.</summary>
    Evicted,

    /// <summary>Push:Connections:MaxHandshakes was reached, and it was the new one: none of the others was a second old.</summary>
    Full,
}
