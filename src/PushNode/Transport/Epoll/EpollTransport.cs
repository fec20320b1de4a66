using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;
using PushHosting.Settings;
using PushNode.Settings;
using PushNode.Telemetry;
using PushNode.Transport.Linux;

namespace PushNode.Transport.Epoll;

/// <summary>
/// Kestrel's transport on the clients' plain ports: one epoll loop for each core. TLS and other ports stay on Kestrel's sockets. Lives as
/// long as the node.
/// </summary>
internal sealed class EpollTransport : IConnectionListenerFactory, IConnectionListenerFactorySelector, IDisposable
{
    /// <summary>Connections that the kernel completes before they are accepted. The kernel caps it at net.core.somaxconn.</summary>
    private const int Backlog = 4096;

    private readonly ClientPorts _ports;
    private readonly ConnectionSettings _settings;
    private readonly AcceptPauses _pauses;
    private readonly IFirstRequests? _requests;
    private readonly Lazy<EpollLoop[]> _loops;

    /// <param name="ports">The ports to serve.</param>
    /// <param name="settings">What accepted sockets get.</param>
    /// <param name="pauses">Counts and logs pauses of accepting.</param>
    /// <param name="failures">Counts and logs unhandled exceptions.</param>
    /// <param name="metrics">Shows the loops' connections.</param>
    /// <param name="requests">Answers first requests; null if all are for Kestrel, because the host has put something before them.</param>
    public EpollTransport(
        ClientPorts ports, ConnectionSettings settings, AcceptPauses pauses, Failures failures, NodeMetrics metrics, IFirstRequests? requests = null)
    {
        (_ports, _settings, _pauses, _requests) = (ports, settings, pauses, requests);
        _loops = new(() => [.. Enumerable.Range(0, Environment.ProcessorCount).Select(index => new EpollLoop(index, failures))]);
        metrics.ShowLoops(() => _loops.IsValueCreated ? Array.ConvertAll(_loops.Value, loop => loop.Connections) : []);
    }

    private static bool IsSupported =>
        OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64;

    /// <summary>
    /// Whether this transport serves the plain ports: it does if the machine can run it, unless the setting says otherwise.
    /// </summary>
    /// <exception cref="SettingsException">The setting requires it, but the machine cannot run it.</exception>
    public static bool IsUsed(TransportKind setting)
    {
        if (setting == TransportKind.Epoll && !IsSupported)
            throw new SettingsException(
                $"{PushSettings.Section}:Transport is 'Epoll', which this machine cannot run (Linux on x64 or arm64 only); it accepts Auto or Stream.");
        return setting != TransportKind.Stream && IsSupported;
    }

    public bool CanBind(EndPoint endpoint) => endpoint is IPEndPoint { Port: var port } && _ports.Contains(port);

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var address = (IPEndPoint)endpoint;
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (address.Address.Equals(IPAddress.IPv6Any))
                socket.DualMode = true;
            // Accepted sockets inherit all three.
            socket.NoDelay = true;
            socket.SendBufferSize = _settings.SendBufferBytes;
            Descriptor.LimitUnsent((int)socket.Handle, _settings.MaxUnsentBytes);
            if (_settings.SharePort)
                Descriptor.SharePort((int)socket.Handle);
            socket.Bind(address);
            socket.Listen(Backlog);
            // The loops share it, and none may block in accept for a connection that another loop took.
            socket.Blocking = false;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            if (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
                throw new AddressInUseException(e.Message, e);
            throw;
        }

        var listener = new EpollListener(socket, _loops.Value, _pauses, _requests);
        await listener.StartAsync();
        return listener;
    }

    public void Dispose()
    {
        if (!_loops.IsValueCreated)
            return;
        foreach (var loop in _loops.Value)
            loop.Dispose();
    }
}

/// <summary>The plain ports that are for clients only. Filled while Kestrel is configured, read when it opens its listeners; one thread.</summary>
internal sealed class ClientPorts
{
    private readonly HashSet<int> _ports = [];

    /// <param name="port">0 stands for every port that the kernel chooses.</param>
    public void Add(int port) => _ports.Add(port);

    public bool Contains(int port) => _ports.Contains(port);
}
