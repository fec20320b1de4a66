namespace PushLoad.Sockets;

/// <summary>What a driver tells its loop, on the loop's thread, from within <see cref="ISocketDriver.Wait"/>.</summary>
internal interface ISocketEvents
{
    void Connected(int index);

    /// <param name="index">Whose bytes they are.</param>
    /// <param name="bytes">Valid during the call only.</param>
    void Received(int index, ReadOnlySpan<byte> bytes);

    /// <summary>The socket is gone: the connect failed, the peer ended it, or it broke. The driver has closed it.</summary>
    /// <param name="index">Whose socket it was.</param>
    /// <param name="reason">A word or two that stay the same for the same reason, to be counted.</param>
    void Ended(int index, string reason);
}
