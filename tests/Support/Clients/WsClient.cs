using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using System.Threading.Channels;

namespace TestSupport.Clients;

/// <summary>
/// A WebSocket client over plain TCP that can send any bytes and takes nothing wrong from the server. One reading loop per client
/// fills a queue of messages; the other members are for one caller at a time.
/// </summary>
public sealed class WsClient : SocketClient
{
    private readonly WsOptions _options;
    private readonly Channel<ServerMessage> _messages = Channel.CreateUnbounded<ServerMessage>();
    private readonly Channel<byte[]> _pongs = Channel.CreateUnbounded<byte[]>();
    private readonly SemaphoreSlim _sending = new(1);
    private readonly TaskCompletionSource<ConnectionEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _deflated;
    private int? _closeCode;
    private string _closeReason = "";
    private int _pings;

    private WsClient(Socket socket, PipeReader reader, WsOptions options, string? extension)
        : base(socket, reader) => (_options, Extension) = (options, extension);

    /// <summary>Completes when the connection has ended.</summary>
    public Task<ConnectionEnd> Ended => _ended.Task;

    /// <summary>How many pings the server sent.</summary>
    public int Pings => Volatile.Read(ref _pings);

    /// <summary>The extension that the server accepted, with its parameters; null if none.</summary>
    public string? Extension { get; }

    /// <summary>How many frames came deflated.</summary>
    public int Deflated => Volatile.Read(ref _deflated);

    /// <summary>Connects and requires that the server accepts.</summary>
    /// <param name="port">Of the node.</param>
    /// <param name="target">Path and query.</param>
    /// <param name="options">What is not as usual.</param>
    /// <param name="patient">The handshake may be answered as late as the test likes.</param>
    public static async Task<WsClient> ConnectAsync(int port, string target = "/ws", WsOptions? options = null, bool patient = false)
    {
        var (client, answer) = await TryConnectAsync(port, target, options, patient);
        return client ?? throw new InvalidOperationException($"The handshake was answered {answer.Status}.");
    }

    /// <summary>Connects; the client is null when the server refused.</summary>
    public static async Task<(WsClient? Client, RawHttpAnswer Answer)> TryConnectAsync(int port, string target = "/ws", WsOptions? options = null, bool patient = false)
    {
        options ??= WsOptions.Default;
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (options.ReceiveBuffer is { } size)
            socket.ReceiveBufferSize = size;
        await socket.ConnectAsync("127.0.0.1", port, TestContext.Current.CancellationToken);

        var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));
        await socket.SendAsync(Encoding.UTF8.GetBytes(RawHttp.Upgrade(target, key: key, extraHeaders: options.Headers)), TestContext.Current.CancellationToken);
        var reader = PipeReader.Create(new NetworkStream(socket, ownsSocket: false));
        var reading = RawHttp.ReadHeadAsync(reader);
        var answer = patient ? await reading : await Eventually.CompletesAsync(reading, "the answer to a handshake");
        if (answer.Status != 101)
        {
            socket.Dispose();
            return (null, answer);
        }

        Assert.Equal(Accept(key), answer.Headers["Sec-WebSocket-Accept"]);
        Assert.Equal("websocket", answer.Headers["Upgrade"], ignoreCase: true);
        var extension = answer.Headers.GetValueOrDefault("Sec-WebSocket-Extensions");
        Assert.True(extension is null || options.Extensions is not null, $"The server chose {extension}, which was not offered.");
        var client = new WsClient(socket, reader, options, extension);
        _ = client.ReadAsync();
        return (client, answer);
    }

    /// <summary>The next message; fails when the connection ends first.</summary>
    public async Task<ServerMessage> NextAsync()
    {
        try
        {
            return await Eventually.CompletesAsync(_messages.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask(), "a message");
        }
        catch (ChannelClosedException)
        {
            var end = await Ended;
            throw new InvalidOperationException($"The connection ended instead of bringing a message: {end}");
        }
    }

    /// <summary>The next message, which must be of this type.</summary>
    public async Task<ServerMessage> NextAsync(string type)
    {
        var message = await NextAsync();
        Assert.True(message.Type == type, $"expected {type}, got {message}");
        return message;
    }

    /// <summary>The items of the next PUSHes, up to this number; all must be of this room.</summary>
    public async Task<IReadOnlyList<string>> NextItemsAsync(string? room, int count)
    {
        var items = new List<string>();
        while (items.Count < count)
        {
            var push = await NextAsync("PUSH");
            Assert.Equal(room, push.Room);
            items.AddRange(push.Items);
        }

        Assert.Equal(count, items.Count);
        return items;
    }

    /// <summary>Whether a pong has come that <see cref="NextPongAsync"/> has not given yet.</summary>
    public bool HasPong => _pongs.Reader.TryPeek(out _);

    /// <summary>The payload of the next pong.</summary>
    public Task<byte[]> NextPongAsync() => Eventually.CompletesAsync(_pongs.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask(), "a pong");

    /// <summary>Waits until the connection is at its end.</summary>
    public Task<ConnectionEnd> EndAsync() => Eventually.CompletesAsync(Ended, "the end of a connection");

    /// <summary>Joins a room and waits for JOINED, which must be the next message.</summary>
    public async Task JoinAsync(string room)
    {
        await SendAsync(JoinText(room));
        var joined = await NextAsync("JOINED");
        Assert.Equal(room, joined.Room);
    }

    /// <summary>A ping of the protocol's own and its answer: everything sent before is dealt with, and nothing else was answered.</summary>
    public async Task PingAsync()
    {
        await SendAsync("""{"type":"PING","data":{}}""");
        await NextAsync("PONG");
    }

    public static string JoinText(string room) => $$$"""{"type":"JOIN","data":{"room":{{{Quote(room)}}}}}""";

    public static string LeaveText(string room) => $$$"""{"type":"LEAVE","data":{"room":{{{Quote(room)}}}}}""";

    public static string Quote(string text) => JsonSerializer.Serialize(text);

    public Task SendAsync(string text) => SendBytesAsync(ClientFrame.Text(text));

    public async Task SendBytesAsync(byte[] bytes)
    {
        await _sending.WaitAsync();
        try
        {
            for (var sent = 0; sent < bytes.Length;)
                sent += await Socket.SendAsync(bytes.AsMemory(sent));
        }
        finally
        {
            _sending.Release();
        }
    }

    /// <summary>Sends bytes that the server may answer by cutting the connection.</summary>
    public async Task SendHostileAsync(byte[] bytes)
    {
        try
        {
            await SendBytesAsync(bytes);
        }
        catch (SocketException)
        {
            // Expected: cut already.
        }
    }

    protected override async ValueTask<ReadOnlySequence<byte>> TakeAsync(ReadOnlySequence<byte> buffer)
    {
        while (SentFrame.TryRead(ref buffer, mayBeDeflated: Extension is not null) is { } frame)
            await TakeAsync(frame);
        return buffer;
    }

    private async Task ReadAsync()
    {
        var error = await ReadAllAsync();
        _ended.SetResult(new ConnectionEnd(_closeCode, _closeReason, error));
        _messages.Writer.Complete(error is ProtocolViolationException ? error : null);
    }

    private async Task TakeAsync(SentFrame frame)
    {
        if (_closeCode is not null)
            throw new ProtocolViolationException($"A frame of opcode {frame.Opcode} after the close frame.");
        switch (frame.Opcode)
        {
            case WsOpcode.Text:
                if (frame.IsDeflated)
                    Interlocked.Increment(ref _deflated);
                var message = ServerMessage.Parse(frame.Payload);
                if (_options.OnMessage is { } take)
                    take(message);
                else
                    _messages.Writer.TryWrite(message);
                break;
            case WsOpcode.Ping:
                Interlocked.Increment(ref _pings);
                if (_options.AnswersPings)
                    await SendHostileAsync(ClientFrame.Of(WsOpcode.Pong, frame.Payload));
                break;
            case WsOpcode.Pong:
                _pongs.Writer.TryWrite(frame.Payload);
                break;
            default:
                await TakeCloseAsync(frame.Payload);
                break;
        }
    }

    private async Task TakeCloseAsync(byte[] payload)
    {
        if (payload.Length == 1 || (payload.Length > 2 && !Utf8.IsValid(payload.AsSpan(2))))
            throw new ProtocolViolationException($"A close frame with the payload {Convert.ToHexString(payload)}.");
        _closeCode = payload.Length == 0 ? 1005 : (payload[0] << 8) | payload[1];
        _closeReason = payload.Length == 0 ? "" : Encoding.UTF8.GetString(payload.AsSpan(2));
        if (_options.EchoesClose)
            await SendHostileAsync(ClientFrame.Of(WsOpcode.Close, payload.AsSpan(0, Math.Min(2, payload.Length))));
    }

    // RFC 6455 wants exactly this hash.
#pragma warning disable CA5350
    private static string Accept(string key) => Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
#pragma warning restore CA5350
}
