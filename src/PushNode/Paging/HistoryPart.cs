using PushBackplane;
using PushBackplane.History;

namespace PushNode.Paging;

/// <summary>What one HISTORY is answered with.</summary>
/// <param name="IsExact">Whether nothing is missing between the client's position and the first item.</param>
/// <param name="End">The position behind the last item.</param>
/// <param name="Items">The messages as JSON, oldest first.</param>
/// <param name="HasMore">Whether there are messages after them.</param>
internal sealed record HistoryPart(bool IsExact, Position End, IReadOnlyList<ReadOnlyMemory<byte>> Items, bool HasMore)
{
    /// <summary>Stands for a message that no client can be sent, so that the numbers of the others stay what they are.</summary>
    private static readonly byte[] Undeliverable = [.. "null"u8];

    /// <summary>Cuts what one answer may have out of a page.</summary>
    /// <param name="page">The page, read from where the client continues or before.</param>
    /// <param name="from">Where the client continues.</param>
    /// <param name="limit">The most messages.</param>
    /// <param name="mostBytes">The largest sum of their lengths; one message is taken in any case.</param>
    /// <param name="largestItem">Larger messages are not delivered.</param>
    public static HistoryPart Cut(HistoryPage page, Continuation from, int limit, long mostBytes, int largestItem)
    {
        var (at, isExact) = from;
        var items = new List<ReadOnlyMemory<byte>>();
        var bytes = 0L;
        foreach (var entry in page.Entries)
        {
            if (entry.Last <= at)
                continue;
            if (entry.First > at + 1)
            {
                // A hole: somebody has deleted entries. The next answer begins behind it and says so.
                if (items.Count > 0)
                    break;
                (at, isExact) = (entry.First - 1, false);
            }

            for (var i = (int)(at + 1 - entry.First); i < entry.Items.Count; i++)
            {
                var json = Deliverable(entry.Items[i], largestItem);
                bytes += json.Length;
                if (items.Count > 0 && (items.Count == limit || bytes > mostBytes))
                    return new HistoryPart(isExact, new Position(page.Lineage.Epoch, at), items, HasMore: true);
                items.Add(json);
                at++;
            }
        }

        // Not even the last message is kept: the client would ask for it for ever.
        if (items.Count == 0 && at < page.Last)
            (at, isExact) = (page.Last, false);
        return new HistoryPart(isExact, new Position(page.Lineage.Epoch, at), items, HasMore: at < page.Last);
    }

    private static ReadOnlyMemory<byte> Deliverable(ReadOnlyMemory<byte> payload, int largest) =>
        MessagePayload.TryReadJson(payload, out var json) && json.Length <= largest ? json : Undeliverable;
}
