using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace PushBackplane.Tests.Redis;

/// <summary>A proxy between clients and a Redis that delays what Redis sends. Owned by its test.</summary>
internal sealed class TestLink : IDisposable
{
    private const int SmallBuffer = 64 * 1024;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly int _port;
    private readonly Func<NetworkStream, NetworkStream, CancellationToken, Task> _forward;

    /// <summary>Begins to listen.</summary>
    /// <param name="port">The port of Redis.</param>
    /// <param name="forward">Forwards from Redis to one client, until either ends.</param>
    public TestLink(int port, Func<NetworkStream, NetworkStream, CancellationToken, Task> forward)
    {
        (_port, _forward) = (port, forward);
        _listener.Start();
        _ = AcceptAsync();
    }

    /// <summary>"127.0.0.1:port".</summary>
    public string EndPoint => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    public void Dispose()
    {
        _end.Cancel();
        _listener.Dispose();
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ConnectAsync(await _listener.AcceptTcpClientAsync(_end.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or InvalidOperationException)
        {
            // Expected: the test is over.
        }
    }

    private async Task ConnectAsync(TcpClient client)
    {
        // Small buffers: Redis itself must keep what the client does not read.
        using var redis = new TcpClient { NoDelay = true, ReceiveBufferSize = SmallBuffer };
        using (client)
        {
            try
            {
                await redis.ConnectAsync(IPAddress.Loopback, _port, _end.Token);
                (client.NoDelay, client.SendBufferSize) = (true, SmallBuffer);
                await Task.WhenAny(client.GetStream().CopyToAsync(redis.GetStream(), _end.Token), _forward(redis.GetStream(), client.GetStream(), _end.Token));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or IOException)
            {
                // Expected: one side has closed, or the test is over.
            }
        }
    }
}
