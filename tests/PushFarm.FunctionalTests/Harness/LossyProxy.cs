using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace PushFarm.FunctionalTests.Harness;

/// <summary>
/// A TCP proxy in front of Redis. From a command with a certain text on, a connection loses either its commands, which Redis then never gets, or
/// its answers, which come from a Redis that has carried them out. Until it is told to, it loses nothing.
/// </summary>
internal sealed class LossyProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<Socket, byte> _open = [];
    private readonly int _target;
    private readonly Task _accepting;
    private volatile Order? _order;

    private LossyProxy(int target)
    {
        _target = target;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>"127.0.0.1:port", which is a connection string.</summary>
    public string EndPoint => ((IPEndPoint)_listener.LocalEndpoint).ToString();

    /// <param name="target">The port of Redis.</param>
    public static LossyProxy Start(int target) => new(target);

    /// <summary>Loses from the next command with this text on. Completes when it has come.</summary>
    public Task LoseFrom(string text, bool answers)
    {
        var order = new Order(Encoding.UTF8.GetBytes(text), answers);
        _order = order;
        return order.Seen.Task;
    }

    /// <summary>Closes all connections and loses nothing on later ones.</summary>
    public void Cut()
    {
        _order = null;
        foreach (var socket in _open.Keys)
            socket.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _accepting;
        _listener.Dispose();
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        var served = new List<Task>();
        try
        {
            while (true)
                served.Add(ServeAsync(await _listener.AcceptSocketAsync(_stopping.Token)));
        }
        catch (OperationCanceledException)
        {
            // Expected: the test is over. From here on no connection is added, so none is missed.
            Cut();
            await Task.WhenAll(served);
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using var own = client;
        using var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        client.NoDelay = true;
        _open[client] = _open[server] = 0;
        try
        {
            await server.ConnectAsync(IPAddress.Loopback, _target);
            var link = new Link();
            await Task.WhenAny(SendAsync(client, server, link), AnswerAsync(server, client, link));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Expected: cut, or Redis is away.
        }

        _open.TryRemove(client, out _);
        _open.TryRemove(server, out _);
    }

    private async Task SendAsync(Socket client, Socket server, Link link)
    {
        var recent = "";
        await CopyAsync(client, server, async bytes =>
        {
            if (_order is { } order)
            {
                recent += Encoding.Latin1.GetString(bytes.Span);
                if (recent.Contains(Encoding.Latin1.GetString(order.Text), StringComparison.Ordinal))
                    link.Lost ??= order;
                recent = recent[Math.Max(0, recent.Length - order.Text.Length)..];
            }

            if (link.Lost is not { Answers: false })
                await server.SendAsync(bytes);
            link.Lost?.Seen.TrySetResult();
        });
    }

    private static Task AnswerAsync(Socket server, Socket client, Link link) =>
        CopyAsync(server, client, async bytes =>
        {
            if (link.Lost is not { Answers: true })
                await client.SendAsync(bytes);
        });

    private static async Task CopyAsync(Socket from, Socket to, Func<ReadOnlyMemory<byte>, Task> pass)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer) is > 0 and var count)
                await pass(buffer.AsMemory(0, count));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Expected: cut.
        }

        to.Dispose();
    }

    private sealed class Link
    {
        public volatile Order? Lost;
    }

    private sealed record Order(byte[] Text, bool Answers)
    {
        public TaskCompletionSource Seen { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
