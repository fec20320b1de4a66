using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace RedisPush.Client.Tests.Support;

/// <summary>One client of a <see cref="StubServer"/>. For one caller at a time.</summary>
internal sealed class StubConnection(TcpClient client, CancellationToken stopping) : IDisposable
{
    private WebSocket? _socket;

    /// <summary>Below the WebSocket, for bytes that no WebSocket would send.</summary>
    public NetworkStream Stream { get; } = client.GetStream();

    /// <summary>The path and query of the handshake.</summary>
    public string Target { get; private set; } = "";

    /// <summary>The token of the handshake; null without one.</summary>
    public string? Token { get; private set; }

    private WebSocket Socket => _socket ?? throw new InvalidOperationException("Not accepted.");

    /// <summary>Reads the handshake and accepts it.</summary>
    public async Task AcceptAsync()
    {
        var head = await ReadHeadAsync();
        Read(head);
        var key = head.Split("\r\n").Single(line => line.StartsWith("Sec-WebSocket-Key:", StringComparison.OrdinalIgnoreCase))["Sec-WebSocket-Key:".Length..].Trim();
        // RFC 6455 wants exactly this hash.
#pragma warning disable CA5350
        var accept = Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
#pragma warning restore CA5350
        await Stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"), stopping);
        _socket = WebSocket.CreateFromStream(Stream, new WebSocketCreationOptions { IsServer = true });
    }

    /// <summary>Reads the handshake and answers it with this head.</summary>
    public async Task RefuseAsync(string head)
    {
        Read(await ReadHeadAsync());
        await Stream.WriteAsync(Encoding.ASCII.GetBytes($"{head}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), stopping);
    }

    public Task SendAsync(string text) => SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text);

    public Task SendAsync(byte[] bytes, WebSocketMessageType type) => Socket.SendAsync(bytes, type, endOfMessage: true, stopping);

    /// <summary>Sends a close frame and waits for the client's.</summary>
    public async Task CloseAsync(int code, string reason) => await Socket.CloseAsync((WebSocketCloseStatus)code, reason, stopping);

    /// <summary>The client's next message.</summary>
    /// <param name="orPing">Whether a PING counts.</param>
    public async Task<JsonElement> NextAsync(bool orPing = false)
    {
        var buffer = new byte[64 * 1024];
        while (true)
        {
            var received = await Socket.ReceiveAsync(buffer, stopping);
            if (received.MessageType == WebSocketMessageType.Close)
                throw new WebSocketException($"The client closed with {Socket.CloseStatus} {Socket.CloseStatusDescription}.");
            var message = JsonDocument.Parse(buffer.AsMemory(0, received.Count)).RootElement;
            if (orPing || message.GetProperty("type").GetString() != "PING")
                return message;
        }
    }

    /// <summary>Answers the client's next message, which must be a JOIN, with JOINED.</summary>
    /// <param name="more">Further members of the answer's data: <c>,"recovered":true</c>.</param>
    /// <returns>The JOIN's data.</returns>
    public async Task<JsonElement> AnswerJoinAsync(string more = "")
    {
        var join = await NextAsync();
        Assert.Equal("JOIN", join.GetProperty("type").GetString());
        await SendAsync($$$"""{"type":"JOINED","id":{{{join.GetProperty("id")}}},"data":{"room":{{{join.GetProperty("data").GetProperty("room").GetRawText()}}}{{{more}}}}}""");
        return join.GetProperty("data");
    }

    /// <summary>Answers an AUTH with AUTHED.</summary>
    public Task AuthedAsync(JsonElement request) =>
        SendAsync($$$"""{"type":"AUTHED","id":{{{request.GetProperty("id")}}},"data":{"user":"alice","expires":1795176000}}""");

    /// <summary>Answers a SEND with SENT.</summary>
    public Task SentAsync(JsonElement request) =>
        SendAsync($$$"""{"type":"SENT","id":{{{request.GetProperty("id")}}},"data":{"room":{{{request.GetProperty("data").GetProperty("room").GetRawText()}}}}}""");

    /// <summary>Answers a HISTORY.</summary>
    /// <param name="request">The request.</param>
    /// <param name="data">The answer's data.</param>
    public Task HistoryAsync(JsonElement request, string data) => SendAsync($$$"""{"type":"HISTORY","id":{{{request.GetProperty("id")}}},"data":{{{data}}}}""");

    /// <summary>Sends a PUSH of room "demo" with whole numbers from the one after <paramref name="from"/>; each is its message's offset.</summary>
    public Task PushAsync(int from, int to, string epoch = "e1") =>
        SendAsync($$$"""{"type":"PUSH","data":{"room":"demo","epoch":"{{{epoch}}}","offset":{{{to}}},"items":{{{Numbers(from, to)}}}}}""");

    /// <summary>Sends a GAP of room "demo".</summary>
    public Task GapAsync(int from, int to, string reason = "slow", string epoch = "e1") => SendAsync(
        $$$"""{"type":"GAP","data":{"room":"demo","missed":{{{to - from}}},"reason":"{{{reason}}}","from":{{{At(epoch, from)}}},"to":{{{At(epoch, to)}}}}}""");

    private static string At(string epoch, int offset) => JsonSerializer.Serialize(new { epoch, offset });

    /// <summary>The numbers after one up to another, as a JSON array.</summary>
    public static string Numbers(int from, int to) => $"[{string.Join(',', Enumerable.Range(from + 1, to - from))}]";

    /// <summary>Answers a request with ERROR.</summary>
    public Task ErrorAsync(JsonElement request, string code) =>
        SendAsync($$$"""{"type":"ERROR","id":{{{request.GetProperty("id")}}},"data":{"code":"{{{code}}}","message":"not now"}}""");

    /// <summary>Reads until the client closes or cuts the connection.</summary>
    /// <returns>The client's close code; null if there was none.</returns>
    public async Task<int?> EndAsync()
    {
        try
        {
            while (true)
                await NextAsync();
        }
        catch (Exception e) when (e is WebSocketException or IOException)
        {
            return (int?)Socket.CloseStatus; // Expected: that is the end.
        }
    }

    /// <summary>Stays until the client closes, and answers its close frame.</summary>
    public async Task StayAsync()
    {
        if (await EndAsync() is not null)
            await Socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", stopping);
    }

    /// <summary>Leaves the connection open until the test is over, and reads nothing.</summary>
    public Task StallAsync() => Task.Delay(Timeout.Infinite, stopping);

    public void Dispose()
    {
        _socket?.Dispose();
        client.Dispose();
    }

    private void Read(string head)
    {
        const string Header = "Authorization: Bearer ";
        Target = head.Split(' ')[1];
        Token = head.Split("\r\n").SingleOrDefault(line => line.StartsWith(Header, StringComparison.Ordinal))?[Header.Length..];
    }

    private async Task<string> ReadHeadAsync()
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await Stream.ReadExactlyAsync(one, stopping);
            head.Append((char)one[0]);
        }

        return head.ToString();
    }
}
