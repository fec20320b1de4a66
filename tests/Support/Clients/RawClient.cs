using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace TestSupport.Clients;

/// <summary>A client's socket. The test controls every byte that it sends and reads.</summary>
public sealed class RawClient : IDisposable
{
    private readonly Socket _socket;
    private readonly byte[] _buffer = new byte[64 * 1024];
    private byte[] _rest = [];
    private RawHttpAnswer? _answer;

    private RawClient(Socket socket) => _socket = socket;

    /// <summary>The head of the answer to <see cref="RequestAsync"/>.</summary>
    public RawHttpAnswer Answer => _answer ?? throw new InvalidOperationException("The client made no request.");

    /// <summary>A whole handshake, with additional headers, each with its line end.</summary>
    public static string Handshake(string target = "/ws", string headers = "") =>
        $"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n";

    public static string Get(string target) => $"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n";

    /// <param name="endpoint">Of the server.</param>
    /// <param name="receiveBuffer">SO_RCVBUF; null for the kernel's own choice.</param>
    /// <param name="source">The client's address; null for the kernel's own choice.</param>
    public static async Task<RawClient> ConnectAsync(IPEndPoint endpoint, int? receiveBuffer = null, string? source = null)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (source is not null)
            socket.Bind(new IPEndPoint(IPAddress.Parse(source), 0));
        if (receiveBuffer is { } size)
            socket.ReceiveBufferSize = size;
        await socket.ConnectAsync(endpoint, TestContext.Current.CancellationToken);
        return new RawClient(socket);
    }

    /// <summary>Connects, and requires a 101.</summary>
    public static async Task<RawClient> UpgradeAsync(IPEndPoint endpoint, string target = "/ws", int? receiveBuffer = null)
    {
        var client = await ConnectAsync(endpoint, receiveBuffer);
        await client.SendAsync(Handshake(target));
        Assert.StartsWith("HTTP/1.1 101 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
        return client;
    }

    /// <summary>Sends one request to 127.0.0.1 from an address of 127.0.0.0/8, and reads the head of its <see cref="Answer"/>.</summary>
    public static async Task<RawClient> RequestAsync(string source, int port, string request)
    {
        var client = await ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), source: source);
        await client.SendAsync(request);
        client._answer = RawHttp.Parse(await client.ReadHeadAsync());
        return client;
    }

    public Task SendAsync(string text) => SendAsync(Encoding.UTF8.GetBytes(text));

    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[await _socket.SendAsync(bytes, TestContext.Current.CancellationToken).AsTask().WaitAsync(Eventually.Patience)..];
    }

    /// <summary>Reads once. Returns the number of bytes, or 0 at the end, also after a reset.</summary>
    public async Task<int> ReadAsync(Memory<byte> buffer)
    {
        if (_rest.Length > 0)
        {
            var kept = Math.Min(_rest.Length, buffer.Length);
            _rest.AsMemory(0, kept).CopyTo(buffer);
            _rest = _rest[kept..];
            return kept;
        }

        try
        {
            return await _socket.ReceiveAsync(buffer, TestContext.Current.CancellationToken).AsTask().WaitAsync(Eventually.Patience);
        }
        catch (SocketException)
        {
            return 0; // A reset.
        }
    }

    /// <summary>Reads until the end, and returns everything.</summary>
    public async Task<byte[]> ReadToEndAsync()
    {
        using var all = new MemoryStream();
        while (await ReadAsync(_buffer) is var count and > 0)
            all.Write(_buffer, 0, count);
        return all.ToArray();
    }

    /// <summary>Reads an answer's head, with its last line end.</summary>
    public async Task<string> ReadHeadAsync() =>
        await TryReadHeadAsync() ?? throw new IOException($"The connection ended. Unread: {Encoding.UTF8.GetString(_rest)}");

    /// <summary>Like <see cref="ReadHeadAsync"/>; null if the connection ends first.</summary>
    public async Task<string?> TryReadHeadAsync()
    {
        while (true)
        {
            var end = _rest.AsSpan().IndexOf("\r\n\r\n"u8);
            if (end >= 0)
            {
                var head = Encoding.ASCII.GetString(_rest, 0, end + 4);
                _rest = _rest[(end + 4)..];
                return head;
            }

            if (!await TryReadMoreAsync())
                return null;
        }
    }

    /// <summary>Reads an answer and its body, whose length the head gives.</summary>
    /// <returns>The status.</returns>
    public async Task<int> ReadAnswerAsync()
    {
        var head = await ReadHeadAsync();
        var length = head.Split("\r\n").FirstOrDefault(line => line.StartsWith("Content-Length: ", StringComparison.OrdinalIgnoreCase));
        var chunked = head.Contains("chunked", StringComparison.OrdinalIgnoreCase);
        while (chunked ? _rest.AsSpan().IndexOf("0\r\n\r\n"u8) < 0 : _rest.Length < int.Parse(length?.Split(' ')[1] ?? "0"))
            await ReadMoreAsync();
        _rest = _rest[(chunked ? _rest.AsSpan().IndexOf("0\r\n\r\n"u8) + 5 : int.Parse(length?.Split(' ')[1] ?? "0"))..];
        return int.Parse(head.Split(' ')[1]);
    }

    /// <summary>The next frame. Fails if the connection ends first.</summary>
    public async Task<SentFrame> NextFrameAsync() => await TryNextFrameAsync() ?? throw new IOException("The connection ended.");

    /// <summary>The next frame; null if the connection ends first.</summary>
    public async Task<SentFrame?> TryNextFrameAsync()
    {
        while (true)
        {
            var unread = new ReadOnlySequence<byte>(_rest);
            if (SentFrame.TryRead(ref unread) is { } frame)
            {
                _rest = unread.ToArray();
                return frame;
            }

            if (!await TryReadMoreAsync())
                return null;
        }
    }

    /// <summary>Sends a RST.</summary>
    public void Reset()
    {
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Dispose();
    }

    /// <summary>Sends a FIN: the client sends no more, but still reads.</summary>
    public void Finish() => _socket.Shutdown(SocketShutdown.Send);

    public void Dispose() => _socket.Dispose();

    private async Task ReadMoreAsync()
    {
        if (!await TryReadMoreAsync())
            throw new IOException($"The connection ended. Unread: {Encoding.UTF8.GetString(_rest)}");
    }

    private async Task<bool> TryReadMoreAsync()
    {
        var kept = _rest;
        _rest = [];
        var count = await ReadAsync(_buffer);
        _rest = [.. kept, .. _buffer.AsSpan(0, count)];
        return count > 0;
    }
}
