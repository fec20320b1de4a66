using System.Net;
using System.Net.Sockets;

namespace RedisPush.Client.Tests.Support;

/// <summary>One address in front of whichever node lives, as a proxy would be. A node's death cuts its clients.</summary>
internal sealed class FrontDoor : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<Task> _connections = [];
    private readonly Task _accepting;
    private int _port;

    public FrontDoor()
    {
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public Uri Url => new($"ws://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/ws");

    /// <summary>Where the next connections go.</summary>
    public void LeadsTo(int port) => Volatile.Write(ref _port, port);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _accepting;
        _listener.Dispose();
        await Task.WhenAll(_connections);
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _connections.Add(ForwardAsync(await _listener.AcceptTcpClientAsync(_stopping.Token)));
        }
        catch (OperationCanceledException)
        {
            // Expected: the test is over.
        }
    }

    private async Task ForwardAsync(TcpClient client)
    {
        using var node = new TcpClient();
        using (client)
        {
            try
            {
                await node.ConnectAsync(IPAddress.Loopback, Volatile.Read(ref _port), _stopping.Token);
                using var ended = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
                var (here, there) = (client.GetStream(), node.GetStream());
                var either = await Task.WhenAny(here.CopyToAsync(there, ended.Token), there.CopyToAsync(here, ended.Token));
                await ended.CancelAsync();
                await either;
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
            {
                // Expected: the node is dead, or the client gone.
            }
        }
    }
}
