namespace PushNode.Connections;

/// <summary>
/// Sends one frame to many sockets with fewer system calls than one for each. Owned and used by one thread, which holds the gate of each socket's connection meanwhile
/// (<see cref="Connection.TryBeginSend"/>).
/// </summary>
internal interface ISocketSender : IDisposable
{
    /// <summary>The most sockets for one call.</summary>
    int Capacity { get; }

    /// <summary>Sends what each socket takes now, like <see cref="IWire.TryWrite"/> of its wire; nothing is under way any more when it returns.</summary>
    /// <param name="bytes">The frame.</param>
    /// <param name="sockets">Their descriptors.</param>
    /// <param name="accepted">Gets how many bytes each has accepted.</param>
    void Send(ReadOnlySpan<byte> bytes, ReadOnlySpan<int> sockets, Span<int> accepted);
}
