using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;

namespace TestSupport.Clients;

/// <summary>How the response of a <see cref="StreamClient"/> ended.</summary>
/// <param name="Code">The close code that the node named; null if it named none.</param>
/// <param name="Reason">The close reason that the node named.</param>
/// <param name="IsComplete">Whether the last chunk has come.</param>
/// <param name="Retry">The reconnection time of server-sent events; null if there was none.</param>
/// <param name="Error">Null after an orderly end of the stream.</param>
public sealed record StreamEnd(int? Code, string Reason, bool IsComplete, int? Retry, Exception? Error);

/// <summary>
/// A client of /sse or /stream that takes nothing wrong from the server. One reading loop per client fills a queue of messages, of the same
/// form for both; the other members are for one caller at a time.
/// </summary>
public sealed class StreamClient : SocketClient
{
    private readonly Action<ServerMessage>? _take;
    private readonly bool _hasEvents;
    private readonly EventParser _events = new();
    private readonly List<byte> _line = [];
    private readonly Channel<ServerMessage> _messages = Channel.CreateUnbounded<ServerMessage>();
    private readonly TaskCompletionSource<StreamEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int? _closeCode;
    private string _closeReason = "";
    private bool _isComplete;
    private int _heartbeats;

    private StreamClient(Socket socket, PipeReader reader, RawHttpAnswer answer, Action<ServerMessage>? take)
        : base(socket, reader)
    {
        (Answer, _take) = (answer, take);
        _hasEvents = answer.Headers["Content-Type"] == "text/event-stream";
    }

    /// <summary>The response's head.</summary>
    public RawHttpAnswer Answer { get; }

    /// <summary>Completes when the response has ended.</summary>
    public Task<StreamEnd> Ended => _ended.Task;

    /// <summary>What a browser that reconnects would send as Last-Event-ID.</summary>
    public string? LastEventId => _events.LastId;

    /// <summary>How many comments or empty lines have come.</summary>
    public int Heartbeats => Volatile.Read(ref _heartbeats);

    /// <summary>Connects and requires a 200.</summary>
    /// <param name="port">Of the node.</param>
    /// <param name="target">Path and query.</param>
    /// <param name="receiveBuffer">SO_RCVBUF; null for the kernel's own choice.</param>
    /// <param name="onMessage">Takes each message, one at a time, instead of the client's queue.</param>
    /// <param name="headers">More header lines, each ended by CRLF.</param>
    /// <param name="behind">Sent with the request.</param>
    /// <param name="secure">Makes a TLS stream of the socket's; null for none.</param>
    public static async Task<StreamClient> ConnectAsync(
        int port, string target, int? receiveBuffer = null, Action<ServerMessage>? onMessage = null, string headers = "", string behind = "",
        Func<Stream, Task<Stream>>? secure = null)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (receiveBuffer is { } size)
            socket.ReceiveBufferSize = size;
        await socket.ConnectAsync("127.0.0.1", port, TestContext.Current.CancellationToken);
        Stream stream = new NetworkStream(socket, ownsSocket: false);
        if (secure is not null)
            stream = await secure(stream);
        await stream.WriteAsync(Encoding.UTF8.GetBytes($"GET {target} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n{behind}"), TestContext.Current.CancellationToken);
        var reader = PipeReader.Create(stream);
        var answer = await Eventually.CompletesAsync(RawHttp.ReadHeadAsync(reader), "the head of a response");
        Assert.Equal(200, answer.Status);
        Assert.Equal("chunked", answer.Headers["Transfer-Encoding"]);
        var client = new StreamClient(socket, reader, answer, onMessage);
        _ = client.ReadAsync();
        return client;
    }

    /// <summary>The next message; fails when the response ends first.</summary>
    public async Task<ServerMessage> NextAsync()
    {
        try
        {
            return await Eventually.CompletesAsync(_messages.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask(), "a message");
        }
        catch (ChannelClosedException)
        {
            throw new InvalidOperationException($"The response ended instead of bringing a message: {await Ended}");
        }
    }

    /// <summary>The next message, which must be of this type.</summary>
    public async Task<ServerMessage> NextAsync(string type)
    {
        var message = await NextAsync();
        Assert.True(message.Type == type, $"expected {type}, got {message}");
        return message;
    }

    /// <summary>Waits until the response is at its end.</summary>
    public Task<StreamEnd> EndAsync() => Eventually.CompletesAsync(Ended, "the end of a response");

    /// <summary>Sends bytes behind the request, which the node may answer by cutting the connection.</summary>
    /// <returns>False if it is cut.</returns>
    public async Task<bool> SendAsync(byte[] bytes)
    {
        try
        {
            for (var sent = 0; sent < bytes.Length;)
                sent += await Socket.SendAsync(bytes.AsMemory(sent), TestContext.Current.CancellationToken).AsTask().WaitAsync(Eventually.Patience);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    protected override ValueTask<ReadOnlySequence<byte>> TakeAsync(ReadOnlySequence<byte> buffer)
    {
        while (HttpChunks.TryRead(ref buffer) is { } data)
            Take(data);
        return ValueTask.FromResult(buffer);
    }

    private async Task ReadAsync()
    {
        var error = await ReadAllAsync();
        _ended.SetResult(new StreamEnd(_closeCode, _closeReason, _isComplete, _events.Retry, error));
        _messages.Writer.Complete(error is ProtocolViolationException ? error : null);
    }

    private void Take(byte[] data)
    {
        if (_isComplete)
            throw new ProtocolViolationException("A chunk after the last one.");
        _isComplete = data.Length == 0;
        if (_hasEvents)
            TakeEvents(data);
        else
            TakeLines(data);
    }

    private void TakeEvents(byte[] data)
    {
        foreach (var (name, json) in _events.Take(data))
            Take(ServerMessage.Parse(Encoding.UTF8.GetBytes($$"""{"type":"{{name.ToUpperInvariant()}}","data":{{json}}}""")));
        Volatile.Write(ref _heartbeats, _events.Comments);
    }

    private void TakeLines(byte[] data)
    {
        foreach (var part in data)
        {
            if (part != '\n')
            {
                _line.Add(part);
                continue;
            }

            if (_line.Count == 0)
                Interlocked.Increment(ref _heartbeats);
            else
                Take(ServerMessage.Parse([.. _line]));
            _line.Clear();
        }
    }

    private void Take(ServerMessage message)
    {
        if (_closeCode is not null)
            throw new ProtocolViolationException($"A message after the close message: {message}");
        if (message.Type == "CLOSE")
            (_closeCode, _closeReason) = (message.Data.GetProperty("code").GetInt32(), message.Data.GetProperty("reason").GetString()!);
        else if (_take is not null)
            _take(message);
        else
            _messages.Writer.TryWrite(message);
    }
}
