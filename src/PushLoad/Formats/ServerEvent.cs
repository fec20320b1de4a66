using System.Buffers.Text;

namespace PushLoad.Formats;

/// <summary>One block of a stream of server-sent events (WHATWG HTML, 9.2.6), in the form that the server has promised: LF, one data line.</summary>
internal ref struct ServerEvent
{
    public ReadOnlySpan<byte> Name;

    public ReadOnlySpan<byte> Data;

    /// <summary>Milliseconds; null without the field.</summary>
    public long? Retry;

    /// <param name="block">Lines up to and including the empty one.</param>
    /// <param name="parsed">The block.</param>
    /// <returns>False when it has a CR, which is a line's end too, a second data line, or a retry that is not a number.</returns>
    public static bool TryParse(ReadOnlySpan<byte> block, out ServerEvent parsed)
    {
        parsed = default;
        if (block.Contains((byte)'\r'))
            return false;
        while (!block.IsEmpty)
        {
            var end = block.IndexOf((byte)'\n');
            var line = end < 0 ? block : block[..end];
            block = end < 0 ? default : block[(end + 1)..];
            if (!parsed.TryAdd(line))
                return false;
        }

        return true;
    }

    private bool TryAdd(ReadOnlySpan<byte> line)
    {
        var colon = line.IndexOf((byte)':');
        if (colon <= 0)
            return true; // A comment, or a field without a value.
        var field = line[..colon];
        var value = line[(colon + 1)..];
        if (!value.IsEmpty && value[0] == ' ')
            value = value[1..];
        if (field.SequenceEqual("event"u8))
        {
            Name = value;
        }
        else if (field.SequenceEqual("data"u8))
        {
            if (!Data.IsEmpty)
                return false;
            Data = value;
        }
        else if (field.SequenceEqual("retry"u8))
        {
            if (!Utf8Parser.TryParse(value, out long milliseconds, out var length) || length != value.Length || milliseconds < 0)
                return false;
            Retry = milliseconds;
        }

        return true;
    }
}
