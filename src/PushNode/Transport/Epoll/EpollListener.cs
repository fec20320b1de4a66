using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;

namespace PushNode.Transport.Epoll;

/// <summary>
/// A listening socket from which every loop accepts; a loop keeps the connections that it accepted. Kestrel takes those from here that the loops
/// do not open themselves.
/// </summary>
internal sealed class EpollListener : IConnectionListener
{
    private readonly Channel<ConnectionContext> _accepted =
        Channel.CreateUnbounded<ConnectionContext>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Socket _socket;
    private readonly Acceptor[] _acceptors;

    public EpollListener(Socket socket, IReadOnlyList<EpollLoop> loops, AcceptPauses pauses, IFirstRequests? requests = null)
    {
        _socket = socket;
        EndPoint = socket.LocalEndPoint!;
        var local = (IPEndPoint)EndPoint;
        var only = local.Address.Equals(IPAddress.Any) || local.Address.Equals(IPAddress.IPv6Any) ? null : local;
        _acceptors = [.. loops.Select(loop => new Acceptor(loop, (int)socket.Handle, only, _accepted.Writer, pauses, requests))];
    }

    public EndPoint EndPoint { get; }

    /// <summary>Begins to accept.</summary>
    public Task StartAsync() => Task.WhenAll(_acceptors.Select(acceptor => acceptor.StartAsync()));

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) =>
        await _accepted.Reader.WaitToReadAsync(cancellationToken) && _accepted.Reader.TryRead(out var connection) ? connection : null;

    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        await Task.WhenAll(_acceptors.Select(acceptor => acceptor.StopAsync()));
        _socket.Dispose();
        _accepted.Writer.TryComplete();
    }

    public ValueTask DisposeAsync() => UnbindAsync();
}
