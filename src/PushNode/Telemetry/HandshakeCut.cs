namespace PushNode.Telemetry;

/// <summary>Why a connection was cut before it became a WebSocket (push_handshakes_cut_total).</summary>
internal enum HandshakeCut
{
    /// <summary>It took longer than Push:Connections:HandshakeTimeout.</summary>
    Late,

    /// <summary>Push:Connections:MaxHandshakes was reached and it was the oldest: a newcomer got its place.</summary>
    Evicted,

    /// <summary>Push:Connections:MaxHandshakes was reached, and none of the others had taken a second yet.</summary>
    Full,
}
