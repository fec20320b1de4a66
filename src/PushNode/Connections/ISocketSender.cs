namespace PushNode.Connections;

/// <summary>
/// Sends one frame to many sockets with few system calls. Owned and used by one thread, which holds the gates of the sockets' connections
/// during a call (<see cref="Connection.TryBeginSend"/>).
/// </summary>
internal interface ISocketSender : IDisposable
{
    /// <summary>The largest number of sockets per call.</summary>
    int Capacity { get; }

    /// <summary>
    /// Sends as much as each socket takes now, as its wire's <see cref="IWire.TryWrite"/> would. No send is under way when it returns.
    /// </summary>
    /// <param name="bytes">The frame.</param>
    /// <param name="sockets">Their descriptors.</param>
    /// <param name="accepted">Receives the number of bytes that each socket has accepted.</param>
    void Send(ReadOnlySpan<byte> bytes, ReadOnlySpan<int> sockets, Span<int> accepted);
}
