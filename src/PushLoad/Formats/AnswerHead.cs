using System.Text;

namespace PushLoad.Formats;

/// <summary>The head of an HTTP/1.1 answer: its status and its fields. Immutable.</summary>
internal sealed class AnswerHead
{
    /// <summary>A longer head is refused.</summary>
    public const int MaxBytes = 16 * 1024;

    private readonly string[] _lines;

    private AnswerHead(string status, string[] lines) => (Status, _lines) = (status, lines);

    /// <summary>Three digits.</summary>
    public string Status { get; }

    /// <returns>Bytes of the head; 0 while it is incomplete.</returns>
    public static int LengthOf(ReadOnlySpan<byte> bytes) => bytes.IndexOf("\r\n\r\n"u8) is >= 0 and var end ? end + 4 : 0;

    /// <returns>Null when it is not HTTP/1.1.</returns>
    public static AnswerHead? Parse(ReadOnlySpan<byte> head)
    {
        var lines = Encoding.Latin1.GetString(head).Split("\r\n");
        var status = lines[0].Split(' ', 3);
        return status.Length < 2 || !status[0].StartsWith("HTTP/1.1", StringComparison.Ordinal) ? null : new AnswerHead(status[1], lines);
    }

    /// <summary>The values of a field, which may come on several lines and several on a line.</summary>
    public string[] Values(string name) =>
        [.. from line in _lines.Skip(1)
            where line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase)
            from value in line[(name.Length + 1)..].Split(',')
            select value.Trim()];
}
