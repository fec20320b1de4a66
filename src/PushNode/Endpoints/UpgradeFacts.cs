using Microsoft.Extensions.Primitives;

namespace PushNode.Endpoints;

/// <summary>
/// What the rules of a WebSocket handshake look at, no matter what read the request: Kestrel (<see cref="Handshake.FactsOf"/>) or a loop
/// (<see cref="LoopHandshakes"/>).
/// </summary>
internal readonly ref struct UpgradeFacts
{
    /// <summary>A CONNECT for a WebSocket over HTTP/2 (RFC 8441), which needs neither method, upgrade nor key.</summary>
    public bool IsConnect { get; init; }

    /// <summary>The method is GET, in upper case.</summary>
    public bool IsGet { get; init; }

    /// <summary>HTTP/1.1, with the tokens Upgrade in Connection and websocket in Upgrade.</summary>
    public bool IsUpgrade { get; init; }

    /// <summary>There is a Host.</summary>
    public bool HasHost { get; init; }

    /// <summary>Sec-WebSocket-Version is 13.</summary>
    public bool IsVersion13 { get; init; }

    /// <summary>Sec-WebSocket-Key; empty if it is missing or given twice.</summary>
    public ReadOnlySpan<char> Key { get; init; }

    /// <summary>All values of Sec-WebSocket-Extensions.</summary>
    public StringValues Extensions { get; init; }
}
