using System.Net.Sockets;
using PushNode.Settings;
using PushNode.Transport.Linux;

namespace PushNode.Transport.Kestrel;

/// <summary>The sockets of Kestrel's own transport.</summary>
internal static class KestrelSockets
{
    /// <summary>
    /// Limits the bytes that the kernel holds for a client, from now on. Only the client's own socket: the listener may serve other things.
    /// </summary>
    public static void Limit(Socket socket, ConnectionSettings settings)
    {
        try
        {
            socket.SendBufferSize = settings.SendBufferBytes;
            // Through the Socket: the descriptor's number may already be reused.
            if (OperatingSystem.IsLinux() && socket.ProtocolType == ProtocolType.Tcp)
                socket.SetRawSocketOption(Libc.IPPROTO_TCP, Libc.TCP_NOTSENT_LOWAT, BitConverter.GetBytes(settings.MaxUnsentBytes));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Expected: the peer is gone. The wire's reader sees that too and ends the connection.
        }
    }
}
