using System.Net;

namespace PushLoad.Sockets;

/// <summary>
/// The sockets of one loop, by index. All calls come from the loop's thread; only <see cref="Wait"/> blocks. Implemented with epoll, and with
/// .NET sockets for other systems.
/// </summary>
internal interface ISocketDriver : IDisposable
{
    /// <summary>Begins a connect; <see cref="ISocketEvents.Connected"/> or <see cref="ISocketEvents.Ended"/> follows unless this fails.</summary>
    /// <param name="index">A free index.</param>
    /// <param name="target">The address to connect to.</param>
    /// <param name="source">The address to connect from; null for any.</param>
    /// <param name="receiveBuffer">The kernel's receive buffer in bytes; null for the system's own choice.</param>
    /// <returns>The failure; null when the connect has begun.</returns>
    string? Open(int index, IPEndPoint target, IPAddress? source, int? receiveBuffer);

    /// <returns>False when the kernel did not take all bytes. The connection is then unusable, since a part may have left.</returns>
    bool TrySend(int index, ReadOnlySpan<byte> bytes);

    /// <summary>Pauses the socket: from now on only <see cref="Read"/> reads bytes.</summary>
    void Pause(int index);

    /// <summary>Reads at most this many bytes from a paused socket.</summary>
    void Read(int index, int maxBytes);

    /// <summary>Closes the socket; no event of it follows. Does nothing when it is not open.</summary>
    void Close(int index);

    /// <summary>Waits for events and reports them.</summary>
    /// <returns>Whether there may be more already.</returns>
    bool Wait(int milliseconds);
}

/// <summary>A driver's events, on the loop's thread, from within <see cref="ISocketDriver.Wait"/>.</summary>
internal interface ISocketEvents
{
    void Connected(int index);

    /// <param name="index">The socket.</param>
    /// <param name="bytes">Valid during the call only.</param>
    void Received(int index, ReadOnlySpan<byte> bytes);

    /// <summary>The connect failed, the peer closed the connection, or it broke. The driver has closed the socket.</summary>
    /// <param name="index">The socket.</param>
    /// <param name="reason">One or two words that identify the reason; equal reasons are counted together.</param>
    void Ended(int index, string reason);
}
