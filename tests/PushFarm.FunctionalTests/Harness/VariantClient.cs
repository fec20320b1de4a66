using System.Globalization;
using System.IO.Compression;
using System.Net.Sockets;
using System.Text;
using TestSupport.Clients;

namespace PushFarm.FunctionalTests.Harness;

/// <summary>
/// A client of any variant that keeps every byte that it receives after the head of the answer, and reads them afterwards. It answers nothing by
/// itself. One loop reads; the other members are for one caller at a time.
/// </summary>
internal sealed class VariantClient : IAsyncDisposable
{
    private readonly Socket _socket;
    private readonly MemoryStream _received = new();
    private readonly Task _reading;
    private readonly bool _isWebSocket;
    private TaskCompletionSource _mayRead = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private VariantClient(string variant, Socket socket, byte[] early)
    {
        Variant = variant;
        _isWebSocket = variant is not ("sse" or "stream");
        _socket = socket;
        _received.Write(early);
        _mayRead.SetResult();
        _reading = ReadAsync();
    }

    /// <summary>What the handshake asked for, by its name in the metrics.</summary>
    public string Variant { get; }

    /// <summary>Bytes received after the head.</summary>
    public long Received
    {
        get
        {
            lock (_received)
                return _received.Length;
        }
    }

    /// <summary>Every whole frame or chunk received.</summary>
    /// <exception cref="ProtocolViolationException">The server sent something else.</exception>
    public IReadOnlyList<WireFrame> Frames
    {
        get
        {
            byte[] bytes;
            lock (_received)
                bytes = _received.ToArray();
            var frames = new List<WireFrame>();
            for (var at = 0; (_isWebSocket ? ReadFrame(bytes.AsSpan(at)) : ReadChunk(bytes.AsSpan(at))) is { } frame; at += frame.Length)
                frames.Add(frame);
            return frames;
        }
    }

    /// <summary>Connects as a client of a variant and joins a room by the address.</summary>
    public static async Task<VariantClient> ConnectAsync(int port, string variant, string room, int? receiveBuffer = null)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (receiveBuffer is { } size)
            socket.ReceiveBufferSize = size;
        await socket.ConnectAsync("127.0.0.1", port, TestContext.Current.CancellationToken);
        await socket.SendAsync(Encoding.ASCII.GetBytes(Request(variant, room)), TestContext.Current.CancellationToken);

        var (bytes, count) = (new byte[64 * 1024], 0);
        int end;
        while ((end = bytes.AsSpan(0, count).IndexOf("\r\n\r\n"u8)) < 0)
        {
            var read = await Eventually.CompletesAsync(socket.ReceiveAsync(bytes.AsMemory(count), TestContext.Current.CancellationToken).AsTask(), "the answer to a handshake");
            Assert.True(read > 0, $"{variant}: the connection ended in the head of the answer");
            count += read;
        }

        var head = Encoding.ASCII.GetString(bytes, 0, end);
        Assert.StartsWith(variant is "sse" or "stream" ? "HTTP/1.1 200 " : "HTTP/1.1 101 ", head, StringComparison.Ordinal);
        Assert.Equal(variant.EndsWith("_deflate", StringComparison.Ordinal), head.Contains("permessage-deflate", StringComparison.Ordinal));
        Assert.Equal(variant.StartsWith("message_pack", StringComparison.Ordinal), head.Contains("push.msgpack", StringComparison.Ordinal));
        return new VariantClient(variant, socket, bytes[(end + 4)..count]);
    }

    /// <summary>From now on the client takes nothing off its socket.</summary>
    public void StopReading() => _mayRead = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void ResumeReading() => _mayRead.TrySetResult();

    /// <summary>Sends a ping, which a WebSocket's server answers.</summary>
    public async Task PingAsync()
    {
        if (_isWebSocket)
            await _socket.SendAsync(ClientFrame.Ping(1, 2, 3), TestContext.Current.CancellationToken);
    }

    /// <summary>Says goodbye as its protocol wants it, and reads until the server ends the connection.</summary>
    public async Task LeaveAsync()
    {
        if (_isWebSocket)
            await _socket.SendAsync(ClientFrame.Close(1000), TestContext.Current.CancellationToken);
        await Eventually.CompletesAsync(_reading, $"the end of a connection of {Variant}");
    }

    public async ValueTask DisposeAsync()
    {
        ResumeReading();
        _socket.Dispose();
        await _reading;
    }

    private static string Request(string variant, string room)
    {
        if (variant is "sse" or "stream")
            return RawClient.Get($"/{variant}?room={room}");
        var headers = variant.StartsWith("message_pack", StringComparison.Ordinal) ? "Sec-WebSocket-Protocol: push.msgpack\r\n" : "";
        if (variant.EndsWith("_deflate", StringComparison.Ordinal))
            headers += "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover; server_no_context_takeover\r\n";
        return RawClient.Handshake($"/ws?room={room}", headers);
    }

    private async Task ReadAsync()
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (true)
            {
                await _mayRead.Task;
                var count = await _socket.ReceiveAsync(buffer);
                if (count == 0)
                    return;
                lock (_received)
                    _received.Write(buffer, 0, count);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Disposed by the test.
        }
    }

    /// <summary>A frame of RFC 6455, inflated if it is deflated; null if it is not whole.</summary>
    private static WireFrame? ReadFrame(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 2)
            return null;
        var head = bytes[1] switch { 127 => 10, 126 => 4, _ => 2 };
        if (bytes.Length < head)
            return null;
        var length = head == 2 ? bytes[1] : int.Parse(Convert.ToHexString(bytes[2..head]), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        if (bytes.Length < head + length)
            return null;
        var payload = bytes.Slice(head, length);
        var isDeflated = (bytes[0] & 0x40) != 0;
        return new WireFrame(head + length, isDeflated, isDeflated ? Inflate(payload) : payload.ToArray());
    }

    private static byte[] Inflate(ReadOnlySpan<byte> payload)
    {
        using var deflated = new MemoryStream([.. payload, 0x00, 0x00, 0xFF, 0xFF]);
        using var inflater = new DeflateStream(deflated, CompressionMode.Decompress);
        using var plain = new MemoryStream();
        inflater.CopyTo(plain);
        return plain.ToArray();
    }

    /// <summary>A chunk of RFC 9112; null if it is not whole.</summary>
    private static WireFrame? ReadChunk(ReadOnlySpan<byte> bytes)
    {
        var head = bytes.IndexOf("\r\n"u8) + 2;
        if (head < 2)
            return null;
        var length = int.Parse(bytes[..(head - 2)], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        if (bytes.Length < head + length + 2)
            return null;
        if (!bytes.Slice(head + length, 2).SequenceEqual("\r\n"u8))
            throw new ProtocolViolationException("No line end behind a chunk.");
        return new WireFrame(head + length + 2, false, bytes.Slice(head, length).ToArray());
    }
}

/// <summary>One frame or chunk.</summary>
/// <param name="Length">Its bytes on the wire, header included.</param>
/// <param name="IsDeflated">Whether it came deflated.</param>
/// <param name="Payload">Its payload, inflated.</param>
internal sealed record WireFrame(int Length, bool IsDeflated, byte[] Payload);
