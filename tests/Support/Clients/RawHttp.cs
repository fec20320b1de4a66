using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;

namespace TestSupport.Clients;

/// <summary>HTTP/1.1 written by hand, for what an HTTP client would tidy up or refuse to send.</summary>
public static class RawHttp
{
    /// <summary>A correct WebSocket handshake but for what the caller changes.</summary>
    public static string Upgrade(string target, string method = "GET", string version = "13", string? key = "dGhlIHNhbXBsZSBub25jZQ==", string extraHeaders = "") =>
        $"{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
        + $"Sec-WebSocket-Version: {version}\r\n{(key is null ? "" : $"Sec-WebSocket-Key: {key}\r\n")}{(method == "GET" ? "" : "Content-Length: 0\r\n")}{extraHeaders}\r\n";

    /// <summary>A publish request that claims to be forwarded.</summary>
    public static string Publish(string path, string body = "1") =>
        $"POST {path} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 192.0.2.1\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}";

    /// <summary>Sends a request and reads the answer.</summary>
    public static async Task<RawHttpAnswer> SendAsync(int port, string request)
    {
        using var socket = new System.Net.Sockets.TcpClient();
        await socket.ConnectAsync("127.0.0.1", port, TestContext.Current.CancellationToken);
        await socket.GetStream().WriteAsync(Encoding.UTF8.GetBytes(request), TestContext.Current.CancellationToken);
        var reader = PipeReader.Create(socket.GetStream());
        var head = await Eventually.CompletesAsync(ReadHeadAsync(reader), "the head of an answer");
        if (!head.Headers.TryGetValue("Content-Length", out var length) || length == "0")
            return head;
        var body = await Eventually.CompletesAsync(reader.ReadAtLeastAsync(int.Parse(length, CultureInfo.InvariantCulture), TestContext.Current.CancellationToken).AsTask(), "the body of an answer");
        return head with { Body = Encoding.UTF8.GetString(body.Buffer) };
    }

    /// <summary>Reads a response's head and leaves what follows in the reader.</summary>
    public static async Task<RawHttpAnswer> ReadHeadAsync(PipeReader reader)
    {
        while (true)
        {
            var read = await reader.ReadAsync();
            var bytes = new SequenceReader<byte>(read.Buffer);
            if (bytes.TryReadTo(out ReadOnlySequence<byte> head, "\r\n\r\n"u8))
            {
                var answer = Parse(Encoding.ASCII.GetString(head));
                reader.AdvanceTo(bytes.Position);
                return answer;
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (read.IsCompleted)
                throw new IOException("The connection ended before a complete answer.");
        }
    }

    /// <summary>A response's head, up to or with its empty line.</summary>
    public static RawHttpAnswer Parse(string head)
    {
        var lines = head.Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var headers = lines.Skip(1).Select(line => line.Split(':', 2)).GroupBy(parts => parts[0], parts => parts[1].Trim(), StringComparer.OrdinalIgnoreCase);
        return new RawHttpAnswer(
            int.Parse(lines[0].Split(' ')[1], CultureInfo.InvariantCulture),
            headers.ToDictionary(header => header.Key, header => string.Join(", ", header), StringComparer.OrdinalIgnoreCase),
            "");
    }
}
