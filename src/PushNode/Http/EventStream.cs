using System.Globalization;
using System.Text;

namespace PushNode.Http;

/// <summary>Writes server-sent events (WHATWG HTML, 9.2), each a chunk.</summary>
internal static class EventStream
{
    /// <summary>A heartbeat: a comment, which clients ignore.</summary>
    public static byte[] Comment() => Write(":\n\n"u8);

    /// <summary>When the client should reconnect after the end of this response or a broken connection.</summary>
    public static byte[] Retry(TimeSpan time) => Write(Encoding.ASCII.GetBytes(RetryLine(time) + "\n"));

    /// <summary>An event.</summary>
    /// <param name="name">The event's name.</param>
    /// <param name="json">Its data, a JSON text; line breaks in it, which can only be space between its tokens, become spaces.</param>
    /// <param name="id">What the client sends as <c>Last-Event-ID</c> when it comes back; null to leave that as it is.</param>
    public static byte[] Event(string name, ReadOnlySpan<byte> json, string? id = null)
    {
        var line = id is null ? "" : $"id: {id}\n";
        return Write(Encoding.ASCII.GetBytes($"event: {name}\n{line}data: "), json, isLast: false);
    }

    /// <summary>The last event, and the end of the response.</summary>
    /// <param name="retryAfter">When the client should reconnect; null for its own default.</param>
    /// <param name="name">The event's name.</param>
    /// <param name="json">Its data.</param>
    public static byte[] End(TimeSpan? retryAfter, string name, ReadOnlySpan<byte> json)
    {
        var retry = retryAfter is { } time ? RetryLine(time) : "";
        return Write(Encoding.ASCII.GetBytes($"{retry}event: {name}\ndata: "), json, isLast: true);
    }

    private static string RetryLine(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"retry: {(long)time.TotalMilliseconds}\n");

    private static byte[] Write(ReadOnlySpan<byte> text) => Chunk.Write(text.Length, text, static (data, text) => text.CopyTo(data));

    private static byte[] Write(byte[] head, ReadOnlySpan<byte> json, bool isLast) => Chunk.Write(
        head.Length + json.Length + 2, new Parts(head, json),
        static (data, parts) =>
        {
            parts.Head.CopyTo(data);
            var text = data[parts.Head.Length..^2];
            parts.Json.CopyTo(text);
            LineBreaks.Remove(text);
            "\n\n"u8.CopyTo(data[^2..]);
        },
        isLast);

    private readonly ref struct Parts(ReadOnlySpan<byte> head, ReadOnlySpan<byte> json)
    {
        public ReadOnlySpan<byte> Head { get; } = head;

        public ReadOnlySpan<byte> Json { get; } = json;
    }
}
