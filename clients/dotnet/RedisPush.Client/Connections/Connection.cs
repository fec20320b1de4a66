using System.Net.WebSockets;
using System.Threading.Channels;
using RedisPush.Client.Protocol;

namespace RedisPush.Client.Connections;

/// <summary>
/// One WebSocket, from its opening to its end. Owned by the <see cref="ConnectionLoop"/> that runs it: its reading loop hands over each
/// message, its writing loop sends what any thread queued, its pulse sends PINGs and ends a connection on which nothing is heard. None of
/// them throws.
/// </summary>
internal sealed class Connection : IDisposable
{
    /// <summary>A client sends little; this many requests waiting mean that the server takes none.</summary>
    private const int MaxQueued = 1_000;

    private const int FirstBuffer = 16 * 1024;
    private const int KeptBuffer = 256 * 1024;

    /// <summary>For the close handshake; after that the connection is cut.</summary>
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(2);

    private readonly ClientWebSocket _socket;
    private readonly RedisPushClientOptions _options;
    private readonly Channel<ReadOnlyMemory<byte>> _queue = Channel.CreateBounded<ReadOnlyMemory<byte>>(MaxQueued);
    private readonly CancellationTokenSource _ended = new();
    private byte[] _buffer = new byte[FirstBuffer];
    private long _heard;
    private ConnectionEnd? _end;

    /// <param name="socket">Open.</param>
    /// <param name="options">The client's.</param>
    public Connection(ClientWebSocket socket, RedisPushClientOptions options)
    {
        (_socket, _options) = (socket, options);
        _heard = options.TimeProvider.GetTimestamp();
    }

    /// <summary>Cancelled when the connection has ended.</summary>
    public CancellationToken Ended => _ended.Token;

    /// <summary>Queues a request. Any thread; never waits.</summary>
    public void Send(ReadOnlyMemory<byte> request)
    {
        if (!_queue.Writer.TryWrite(request))
            Cut(new ConnectionEnd(null, $"the server took none of {MaxQueued} requests"));
    }

    /// <summary>Runs the connection to its end.</summary>
    /// <param name="take">Takes a message.</param>
    /// <param name="stopping">Closes the connection in an orderly way.</param>
    public async Task<ConnectionEnd> RunAsync(Action<ServerMessage> take, CancellationToken stopping)
    {
        var writing = WriteAsync();
        var pulse = PulseAsync();
        var closing = CloseWhenAsync(stopping);
        try
        {
            var end = await ReadAsync(take).ConfigureAwait(false);
            return Volatile.Read(ref _end) ?? end;
        }
        finally
        {
            _queue.Writer.TryComplete();
            await _ended.CancelAsync().ConfigureAwait(false);
            _socket.Abort();
            await Task.WhenAll(writing, pulse, closing).ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        _socket.Dispose();
        _ended.Dispose();
    }

    private async Task<ConnectionEnd> ReadAsync(Action<ServerMessage> take)
    {
        var parser = new MessageParser();
        var length = 0;
        try
        {
            while (true)
            {
                var received = await _socket.ReceiveAsync(_buffer.AsMemory(length), CancellationToken.None).ConfigureAwait(false);
                Volatile.Write(ref _heard, _options.TimeProvider.GetTimestamp());
                if (received.MessageType == WebSocketMessageType.Close)
                    return await AnswerCloseAsync().ConfigureAwait(false);
                if (received.MessageType != WebSocketMessageType.Text)
                    return await RejectAsync(WebSocketCloseStatus.InvalidMessageType, "text messages only").ConfigureAwait(false);
                length += received.Count;
                if (length > _options.MaxMessageBytes)
                {
                    var tooBig = $"message over {_options.MaxMessageBytes} bytes";
                    return await RejectAsync(WebSocketCloseStatus.MessageTooBig, tooBig).ConfigureAwait(false);
                }

                if (!received.EndOfMessage)
                {
                    if (length == _buffer.Length)
                        Array.Resize(ref _buffer, (int)Math.Min(length * 2L, _options.MaxMessageBytes + 1L));
                    continue;
                }

                take(parser.Parse(_buffer.AsSpan(0, length)));
                length = 0;
                if (_buffer.Length > KeptBuffer)
                    _buffer = new byte[FirstBuffer];
            }
        }
        catch (Exception e) when (IsEnd(e))
        {
            // Expected: the connection broke, was cut here, or the server broke RFC 6455.
            return new ConnectionEnd(null, $"the connection broke: {e.Message}");
        }
    }

    private TimeSpan Silent() => _options.TimeProvider.GetElapsedTime(Volatile.Read(ref _heard));

    private async Task WriteAsync()
    {
        try
        {
            await foreach (var request in _queue.Reader.ReadAllAsync(_ended.Token).ConfigureAwait(false))
            {
                // Deflated requests would let an observer guess at a token by their lengths.
                const WebSocketMessageFlags Flags = WebSocketMessageFlags.EndOfMessage | WebSocketMessageFlags.DisableCompression;
                await _socket.SendAsync(request, WebSocketMessageType.Text, Flags, _ended.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (IsEnd(e))
        {
            // Expected: the connection broke or is closing. The reading loop finds out, and says how it ended.
        }
    }

    private async Task PulseAsync()
    {
        try
        {
            while (true)
            {
                var silent = Silent();
                if (silent < _options.PingInterval)
                {
                    await Task.Delay(_options.PingInterval - silent, _options.TimeProvider, _ended.Token).ConfigureAwait(false);
                    continue;
                }

                // Not how long ago something was heard: an answer at once is as old as the timeout when the timer fires.
                var asked = _options.TimeProvider.GetTimestamp();
                Send(Requests.Ping);
                await Task.Delay(_options.PingTimeout, _options.TimeProvider, _ended.Token).ConfigureAwait(false);
                if (Volatile.Read(ref _heard) < asked)
                    Cut(new ConnectionEnd(null, "the server gave no sign of life"));
            }
        }
        catch (OperationCanceledException)
        {
            // Expected: the connection has ended.
        }
    }

    /// <summary>Sends a close frame when the client is disposed, and gives the server some time to answer it.</summary>
    private async Task CloseWhenAsync(CancellationToken stopping)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, _ended.Token);
        await Task.Delay(Timeout.Infinite, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_ended.IsCancellationRequested)
            return;
        await CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "").ConfigureAwait(false);
        await Task.Delay(CloseTimeout, _options.TimeProvider, _ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Cut(new ConnectionEnd(null, "the client was disposed"));
    }

    private async Task<ConnectionEnd> AnswerCloseAsync()
    {
        var (code, reason) = ((int?)_socket.CloseStatus ?? (int)WebSocketCloseStatus.Empty, _socket.CloseStatusDescription ?? "");
        await CloseOutputAsync(_socket.CloseStatus ?? WebSocketCloseStatus.Empty, "").ConfigureAwait(false);
        return ConnectionEnd.Closed(code, reason);
    }

    private async Task<ConnectionEnd> RejectAsync(WebSocketCloseStatus code, string reason)
    {
        await CloseOutputAsync(code, reason).ConfigureAwait(false);
        return new ConnectionEnd(null, $"the server broke the protocol: {reason}");
    }

    private async Task CloseOutputAsync(WebSocketCloseStatus code, string reason)
    {
        using var timeout = new CancellationTokenSource(CloseTimeout, _options.TimeProvider);
        try
        {
            await _socket.CloseOutputAsync(code, code == WebSocketCloseStatus.Empty ? null : reason, timeout.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (IsEnd(e) || e is ArgumentException)
        {
            // Expected: the server is gone or does not read, or its code is not one that a client may send. The connection is cut anyway.
        }
    }

    /// <summary>What a WebSocket throws when its connection is broken, cut or closing.</summary>
    private static bool IsEnd(Exception exception) =>
        exception is WebSocketException or OperationCanceledException or InvalidOperationException or IOException or InvalidDataException;

    private void Cut(ConnectionEnd end)
    {
        Interlocked.CompareExchange(ref _end, end, null);
        _socket.Abort();
    }
}
