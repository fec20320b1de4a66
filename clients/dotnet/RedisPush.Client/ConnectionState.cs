namespace RedisPush.Client;

/// <summary>Whether a client is connected.</summary>
public enum ConnectionState
{
    /// <summary>Not connected: not started yet, refused for good, or disposed.</summary>
    Disconnected,

    /// <summary>Opening a connection, or waiting for the next attempt.</summary>
    Connecting,

    /// <summary>The connection is open. Rooms are joined one by one; each JOIN has its own answer.</summary>
    Connected,
}

/// <summary>A client's state has changed, or an attempt to connect has failed, and then both states are the same.</summary>
/// <param name="State">The state now.</param>
/// <param name="Previous">The state before.</param>
public sealed record ConnectionStateChange(ConnectionState State, ConnectionState Previous)
{
    /// <summary>
    /// The close code of the connection that ended, as docs/protocol.md lists them; null if it broke or never opened.
    /// </summary>
    public int? Code { get; init; }

    /// <summary>Why a connection ended or did not open, for people.</summary>
    public string? Reason { get; init; }

    /// <summary>The time until the next attempt; null if none is waited for.</summary>
    public TimeSpan? RetryIn { get; init; }
}
