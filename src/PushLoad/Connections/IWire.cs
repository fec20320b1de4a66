namespace PushLoad.Connections;

/// <summary>
/// How a connection speaks with the server: its request, the server's answer, and what follows. Owned by its connection, used for one socket
/// after the other; one thread.
/// </summary>
internal interface IWire
{
    byte[] Request();

    /// <returns>Why the server's answer is not the wanted one; null when it is.</returns>
    string? Problem(ReadOnlySpan<byte> head);

    /// <summary>Reads what follows the head.</summary>
    /// <returns>The server's fault, after which nothing can be read; null when there is none, or the connection has ended meanwhile.</returns>
    string? Read(ReadOnlySpan<byte> bytes);

    /// <summary>Ends the connection from this side; the state is <see cref="ConnectionState.Closing"/> until it has ended.</summary>
    void BeginClose();

    /// <summary>The socket is closed: forgets all about it.</summary>
    void Reset();
}
