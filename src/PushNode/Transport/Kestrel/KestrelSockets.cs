using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using PushNode.Settings;
using PushNode.Transport.Linux;

namespace PushNode.Transport.Kestrel;

/// <summary>The sockets of Kestrel's own transport.</summary>
internal static class KestrelSockets
{
    /// <summary>
    /// Limits the bytes that the kernel holds for each connection. Connections inherit it from the socket that accepts them.
    /// </summary>
    public static void Limit(SocketTransportOptions transport, ConnectionSettings settings) =>
        transport.CreateBoundListenSocket = endpoint =>
        {
            var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
            socket.SendBufferSize = settings.SendBufferBytes;
            if (OperatingSystem.IsLinux() && endpoint is IPEndPoint)
                Descriptor.LimitUnsent((int)socket.Handle, settings.MaxUnsentBytes);
            return socket;
        };
}
