using System.Text;
using PushLoad.Formats;
using PushLoad.Messages;

namespace PushLoad.Connections;

/// <summary>The request for a stream of server-sent events or of lines, and the head of its answer.</summary>
internal static class HttpRequest
{
    public static byte[] Create(Uri target, IEnumerable<RoomToJoin> rooms, IEnumerable<string> headers, bool events)
    {
        var request = new StringBuilder();
        request.Append($"GET {RoomsInUrl.PathOf(target, rooms)} HTTP/1.1\r\nHost: {target.Authority}\r\nAccept: {MediaType(events)}\r\n");
        foreach (var header in headers)
            request.Append($"{header}\r\n");
        return Encoding.UTF8.GetBytes(request.Append("\r\n").ToString());
    }

    /// <returns>Why the answer is not the wanted one; null when it is.</returns>
    public static string? Problem(ReadOnlySpan<byte> head, bool events)
    {
        if (AnswerHead.Parse(head) is not { } answer)
            return "handshake: not HTTP";
        if (answer.Status != "200")
            return $"handshake: {answer.Status}";
        if (answer.Values("Content-Type") is not [var type] || type.Split(';')[0].TrimEnd() != MediaType(events))
            return $"handshake: not {MediaType(events)}";
        return answer.Values("Transfer-Encoding") is ["chunked"] ? null : "handshake: not chunked";
    }

    private static string MediaType(bool events) => events ? "text/event-stream" : "application/x-ndjson";
}

/// <summary>A room to join.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Since">The position to resume from; null to begin now.</param>
internal readonly record struct RoomToJoin(string Name, Position? Since);

/// <summary>The rooms to join, as parameters of the request's path.</summary>
internal static class RoomsInUrl
{
    public static string PathOf(Uri target, IEnumerable<RoomToJoin> rooms)
    {
        var joins = string.Join('&', rooms.Select(room => $"room={Uri.EscapeDataString(room.Name)}{(room.Since is { } since ? $"&since={since}" : "")}"));
        var separator = joins.Length == 0 ? "" : target.Query.Length == 0 ? "?" : "&";
        return $"{target.PathAndQuery}{separator}{joins}";
    }
}
