namespace PushNode.Connections;

/// <summary>
/// Sends to many sockets with few system calls. Owned and used by one thread, which holds the gates of the sockets' connections
/// during a call (<see cref="Connection.TryBeginSend"/>).
/// </summary>
internal interface ISocketSender : IDisposable
{
    /// <summary>The largest number of sends per call.</summary>
    int Capacity { get; }

    /// <summary>
    /// Sends as much as each socket takes now, as its wire's <see cref="IWire.TryWrite"/> would. No send is under way when it returns.
    /// </summary>
    /// <param name="sends">What to send. Each socket occurs once: the sends have no order.</param>
    /// <param name="accepted">Receives the number of bytes that each socket has accepted.</param>
    void Send(ReadOnlySpan<SocketSend> sends, Span<int> accepted);
}

/// <summary>One send of a call.</summary>
/// <param name="Socket">The socket's descriptor.</param>
/// <param name="Bytes">The frame.</param>
internal readonly record struct SocketSend(int Socket, ReadOnlyMemory<byte> Bytes);
