namespace PushNode.Connections;

/// <summary>
/// Carries one connection's bytes; one of the node's seams (docs/architecture.md). <see cref="TryWrite"/>, <see cref="Complete"/> and
/// <see cref="Abort"/> are called under the connection's gate. They never block, and never throw because of a peer or the network: a broken
/// wire ends the connection through its reader.
/// </summary>
internal interface IWire
{
    /// <summary>The socket's descriptor, to which the holder of the gate may send directly; null if the wire has none.</summary>
    int? Socket { get; }

    /// <summary>Sets the connection. Called once, before anything else.</summary>
    void Attach(Connection connection);

    /// <summary>
    /// Makes the kernel break the connection when the peer acknowledges nothing for this long. Without effect where the system cannot do it.
    /// </summary>
    void LimitUnacknowledged(TimeSpan time);

    /// <summary>Starts to read.</summary>
    /// <returns>Completes when the HTTP server may release the connection; for a wire over an HTTP stream, when it has ended.</returns>
    Task RunAsync();

    /// <summary>Writes bytes, which must not change afterwards.</summary>
    /// <returns>
    /// The number of bytes accepted. If not all, the wire calls <see cref="Connection.OnWritable"/> when it can take more.
    /// </returns>
    int TryWrite(ReadOnlyMemory<byte> bytes);

    /// <summary>Ends the connection after all accepted bytes are sent.</summary>
    void Complete();

    /// <summary>Ends the connection at once; accepted bytes may be lost.</summary>
    void Abort();
}
