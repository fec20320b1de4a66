namespace PushNode.Connections;

/// <summary>
/// What carries one connection's bytes: the second of the node's two seams. <see cref="TryWrite"/>, <see cref="Complete"/> and <see cref="Abort"/> are called under the
/// connection's gate, never block and never throw for what a peer or the network does; a wire that broke ends the connection through its reader.
/// </summary>
internal interface IWire
{
    /// <summary>The descriptor to which bytes can be sent without the wire, by whoever holds the gate; null when there is none.</summary>
    int? Socket { get; }

    /// <summary>Names the connection that it carries. Called once, before all else.</summary>
    void Attach(Connection connection);

    /// <summary>Begins to read.</summary>
    /// <returns>Completes when HTTP may let go of the connection: for a wire of HTTP's own that is its end.</returns>
    Task RunAsync();

    /// <summary>Hands over bytes that stay unchanged.</summary>
    /// <returns>How many were accepted. When fewer than given, the wire calls <see cref="Connection.OnWritable"/> once it can take more.</returns>
    int TryWrite(ReadOnlyMemory<byte> bytes);

    /// <summary>Ends the connection in good order after what was accepted is sent.</summary>
    void Complete();

    /// <summary>Ends the connection at once; what was accepted may be lost.</summary>
    void Abort();
}
