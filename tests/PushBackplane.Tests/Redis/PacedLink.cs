using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace PushBackplane.Tests.Redis;

/// <summary>
/// A link of so many bytes a second between a client and Redis: forwards each connection, and what comes from Redis no faster than that. Owned by its test.
/// </summary>
internal sealed class PacedLink : IDisposable
{
    private const int ChunkLength = 16 * 1024;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly int _port;
    private readonly int _bytesPerSecond;

    public PacedLink(int port, int bytesPerSecond)
    {
        (_port, _bytesPerSecond) = (port, bytesPerSecond);
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
                _ = ForwardAsync(await _listener.AcceptTcpClientAsync(_end.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Expected: the test is over.
        }
    }

    private async Task ForwardAsync(TcpClient client)
    {
        // Little may wait in the link itself: what the client does not read is to be Redis's to keep.
        using var redis = new TcpClient { NoDelay = true, ReceiveBufferSize = 4 * ChunkLength };
        using (client)
        {
            try
            {
                await redis.ConnectAsync(IPAddress.Loopback, _port, _end.Token);
                (client.NoDelay, client.SendBufferSize) = (true, 4 * ChunkLength);
                await Task.WhenAny(client.GetStream().CopyToAsync(redis.GetStream(), _end.Token), PaceAsync(redis.GetStream(), client.GetStream()));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or IOException)
            {
                // Expected: one of the two has ended, or the test is over.
            }
        }
    }

    private async Task PaceAsync(NetworkStream from, NetworkStream to)
    {
        var buffer = new byte[ChunkLength];
        var free = Stopwatch.GetTimestamp();
        while (await from.ReadAsync(buffer, _end.Token) is var read and > 0)
        {
            await to.WriteAsync(buffer.AsMemory(0, read), _end.Token);
            free = Math.Max(free, Stopwatch.GetTimestamp() - (Stopwatch.Frequency / 100)) + (read * Stopwatch.Frequency / _bytesPerSecond);
            if (Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), free) is { TotalMilliseconds: >= 1 } pause)
                await Task.Delay(pause, _end.Token);
        }
    }
}
