using System.Security.Cryptography;
using System.Text;

namespace PushLoad.Connections;

/// <summary>The upgrade request and its answer (RFC 6455, 4.1). The key is always the same.</summary>
internal static class Handshake
{
    /// <summary>A longer answer is refused.</summary>
    public const int MaxAnswerBytes = 16 * 1024;

    private const string Key = "bG9hZCBnZW5lcmF0b3IuLg==";

    private static readonly string ExpectedAccept = Accept();

    public static byte[] Request(Uri target, IEnumerable<string> rooms, IEnumerable<string> headers)
    {
        var joins = string.Join('&', rooms.Select(room => $"room={Uri.EscapeDataString(room)}"));
        var separator = joins.Length == 0 ? "" : target.Query.Length == 0 ? "?" : "&";
        var request = new StringBuilder();
        request.Append($"GET {target.PathAndQuery}{separator}{joins} HTTP/1.1\r\nHost: {target.Authority}\r\n");
        request.Append("Upgrade: websocket\r\nConnection: Upgrade\r\n");
        request.Append($"Sec-WebSocket-Key: {Key}\r\nSec-WebSocket-Version: 13\r\n");
        foreach (var header in headers)
            request.Append($"{header}\r\n");
        return Encoding.UTF8.GetBytes(request.Append("\r\n").ToString());
    }

    /// <returns>Bytes of the answer's head; 0 while it is incomplete.</returns>
    public static int HeadLength(ReadOnlySpan<byte> bytes) => bytes.IndexOf("\r\n\r\n"u8) is >= 0 and var end ? end + 4 : 0;

    /// <returns>Why the upgrade failed; null when it succeeded.</returns>
    public static string? Problem(ReadOnlySpan<byte> head)
    {
        var text = Encoding.Latin1.GetString(head);
        var lines = text.Split("\r\n");
        var status = lines[0].Split(' ', 3);
        if (status.Length < 2 || !status[0].StartsWith("HTTP/1.1", StringComparison.Ordinal))
            return "handshake: not HTTP";
        if (status[1] != "101")
            return $"handshake: {status[1]}";
        const string Accepted = "Sec-WebSocket-Accept:";
        return lines.Any(line => line.StartsWith(Accepted, StringComparison.OrdinalIgnoreCase) && line[Accepted.Length..].Trim() == ExpectedAccept)
            ? null
            : "handshake: wrong Sec-WebSocket-Accept";
    }

    private static string Accept()
    {
#pragma warning disable CA5350 // RFC 6455 requires SHA-1; nothing secret depends on it.
        return Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(Key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
#pragma warning restore CA5350
    }
}
