using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using PushLoad.Formats;

namespace PushLoad.Connections;

/// <summary>The upgrade request and its answer (RFC 6455, 4.1; RFC 7692, 7.1). The key is always the same.</summary>
internal static class Handshake
{
    private const string Key = "bG9hZCBnZW5lcmF0b3IuLg==";
    private const string MessagePack = "push.msgpack";
    private const string Deflate = "permessage-deflate";
    private const string ServerNoContext = "server_no_context_takeover";
    private const string ClientNoContext = "client_no_context_takeover";
    private const string ServerWindow = "server_max_window_bits=";

    private static readonly string ExpectedAccept = Accept();

    public static byte[] Request(Uri target, IEnumerable<RoomToJoin> rooms, IEnumerable<string> headers, bool messagePack, bool deflate)
    {
        var request = new StringBuilder();
        request.Append($"GET {RoomsInUrl.PathOf(target, rooms)} HTTP/1.1\r\nHost: {target.Authority}\r\n");
        request.Append("Upgrade: websocket\r\nConnection: Upgrade\r\n");
        request.Append($"Sec-WebSocket-Key: {Key}\r\nSec-WebSocket-Version: 13\r\n");
        if (messagePack)
            request.Append($"Sec-WebSocket-Protocol: {MessagePack}\r\n");
        if (deflate)
            request.Append($"Sec-WebSocket-Extensions: {Deflate}; {ClientNoContext}; {ServerNoContext}\r\n");
        foreach (var header in headers)
            request.Append($"{header}\r\n");
        return Encoding.UTF8.GetBytes(request.Append("\r\n").ToString());
    }

    /// <returns>Why the upgrade failed; null when it succeeded, with the subprotocol and the extension that were asked for.</returns>
    public static string? Problem(ReadOnlySpan<byte> head, bool messagePack, bool deflate)
    {
        if (AnswerHead.Parse(head) is not { } answer)
            return "handshake: not HTTP";
        if (answer.Status != "101")
            return $"handshake: {answer.Status}";
        if (answer.Values("Sec-WebSocket-Accept") is not [var accept] || accept != ExpectedAccept)
            return "handshake: wrong Sec-WebSocket-Accept";
        if (messagePack && answer.Values("Sec-WebSocket-Protocol") is not [MessagePack])
            return $"handshake: {MessagePack} declined";
        if (!deflate)
            return null;
        return answer.Values("Sec-WebSocket-Extensions") switch
        {
            [] => $"handshake: {Deflate} declined",
            [var extension] when IsOffered(extension) => null,
            _ => "handshake: an extension that was not offered",
        };
    }

    /// <summary>Whether it is permessage-deflate without context takeover by the server, and with no parameter that the offer rules out.</summary>
    private static bool IsOffered(string extension)
    {
        var parts = extension.Split(';', StringSplitOptions.TrimEntries);
        return parts[0] == Deflate
            && parts.Contains(ServerNoContext)
            && parts.Skip(1).All(part => part is ServerNoContext or ClientNoContext || IsServerWindow(part))
            && parts.Distinct().Count() == parts.Length;
    }

    private static bool IsServerWindow(string parameter) =>
        parameter.StartsWith(ServerWindow, StringComparison.Ordinal)
        && int.TryParse(parameter.AsSpan(ServerWindow.Length).Trim('"'), NumberStyles.None, CultureInfo.InvariantCulture, out var bits)
        && bits is >= 8 and <= 15;

    private static string Accept()
    {
#pragma warning disable CA5350 // RFC 6455 requires SHA-1; nothing secret depends on it.
        return Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(Key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
#pragma warning restore CA5350
    }
}
