using System.Net;

namespace PushLoad.Sockets;

/// <summary>
/// The sockets of one loop, by index. All calls come from the loop's thread and none blocks but <see cref="Wait"/>. Two bodies: epoll, and .NET's sockets where
/// there is no epoll.
/// </summary>
internal interface ISocketDriver : IDisposable
{
    /// <summary>Begins a connect; <see cref="ISocketEvents.Connected"/> or <see cref="ISocketEvents.Ended"/> follows, or this returns why not.</summary>
    /// <param name="index">A free index.</param>
    /// <param name="target">Whom to connect to.</param>
    /// <param name="source">The address to connect from; null for any.</param>
    /// <param name="receiveBuffer">The kernel's receive buffer in bytes; null for the system's own choice.</param>
    /// <returns>The failure; null when the connect is on its way.</returns>
    string? Open(int index, IPEndPoint target, IPAddress? source, int? receiveBuffer);

    /// <returns>False when the kernel did not take all of it: the connection is of no use any more, since a part may have gone out.</returns>
    bool TrySend(int index, ReadOnlySpan<byte> bytes);

    /// <summary>From now on bytes come only when <see cref="Read"/> asks for them.</summary>
    void Pause(int index);

    /// <summary>Asks a paused socket for at most so many bytes.</summary>
    void Read(int index, int maxBytes);

    /// <summary>Closes; nothing more comes from this index. Does nothing when it is not open.</summary>
    void Close(int index);

    /// <summary>Waits for events and reports them.</summary>
    void Wait(int milliseconds);
}
