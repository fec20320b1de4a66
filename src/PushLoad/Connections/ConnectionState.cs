namespace PushLoad.Connections;

/// <summary>Where a connection stands.</summary>
internal enum ConnectionState
{
    /// <summary>No socket; waits for its turn to connect.</summary>
    Closed,
    Connecting,

    /// <summary>The upgrade was requested.</summary>
    Upgrading,
    Open,

    /// <summary>A close frame went out on this side; the answer is awaited.</summary>
    Closing,
}
