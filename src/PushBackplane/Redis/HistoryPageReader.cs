using System.Diagnostics.CodeAnalysis;
using System.Text;
using PushBackplane.History;
using PushBackplane.MessagePack;

namespace PushBackplane.Redis;

/// <summary>
/// Reads what push.lua answers to a reading: epoch, ancestors, last, floor, and of each entry last, number of messages and body, as MessagePack
/// values one after another. Safe on any bytes, since anybody may write to Redis.
/// </summary>
internal static class HistoryPageReader
{
    /// <summary>More messages than any envelope has. A hostile entry may claim any number.</summary>
    private const int MostOfEntry = 1_000_000;

    public static bool TryRead(ReadOnlyMemory<byte> bytes, [NotNullWhen(true)] out HistoryPage? page)
    {
        page = null;
        var reader = new MessagePackReader(bytes.Span);
        if (!reader.TryReadText(out var epoch) || !reader.TryReadText(out var ancestors)
            || !TryReadOffset(ref reader, out var last) || !TryReadOffset(ref reader, out var floor) || floor > last
            || !Position.TryMake(Encoding.ASCII.GetString(epoch), last, out var position))
        {
            return false;
        }

        var entries = new List<HistoryEntry>();
        while (reader.Remaining > 0)
        {
            if (!TryReadOffset(ref reader, out var end) || !TryReadOffset(ref reader, out var count) || count is 0 or > MostOfEntry || count > end
                || !reader.TryRead(out var body) || body.Type != MessagePackType.Text)
            {
                return false;
            }

            entries.Add(ReadEntry(end - count + 1, (int)count, bytes.Slice(body.Start, body.Length)));
        }

        page = new HistoryPage(new Lineage(position.Epoch, ReadAncestors(Encoding.ASCII.GetString(ancestors))), last, floor, entries);
        return true;
    }

    /// <summary>What is no list of messages counts as messages without content, so that numbers stay whole.</summary>
    private static HistoryEntry ReadEntry(long first, int count, ReadOnlyMemory<byte> body) =>
        Envelope.TryDecodeBody(body, out var publishedAt, out var items) && items.Length == count
            ? new HistoryEntry(first, publishedAt, items)
            : new HistoryEntry(first, DateTimeOffset.UnixEpoch, new ReadOnlyMemory<byte>[count]);

    /// <summary>"EPOCH:SHARED", newest first, separated by spaces.</summary>
    private static Ancestor[] ReadAncestors(string text)
    {
        var found = new List<Ancestor>();
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!Position.TryParse(word.Replace(':', '.'), out var shared))
                break;
            found.Add(new Ancestor(shared.Epoch, shared.Offset));
        }

        return [.. found];
    }

    private static bool TryReadOffset(ref MessagePackReader reader, out long offset)
    {
        var isRead = reader.TryReadUInt64(out var value) && value <= Position.MaxOffset;
        offset = isRead ? (long)value : 0;
        return isRead;
    }
}
