namespace PushNode.Settings;

/// <summary>What carries clients' connections on plain ports. TLS always stays with Kestrel.</summary>
internal enum TransportKind
{
    /// <summary>Epoll where the machine can run it, Stream elsewhere.</summary>
    Auto,

    /// <summary>Kestrel's own sockets.</summary>
    Stream,

    /// <summary>Loops of our own under Kestrel, which let go of a connection's HTTP objects after the handshake.</summary>
    Epoll,
}
