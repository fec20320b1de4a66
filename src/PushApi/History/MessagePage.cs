using PushBackplane;
using PushBackplane.History;

namespace PushApi.History;

/// <summary>
/// Some messages of a room that follow one another, and where the room stands. Immutable.
/// </summary>
/// <param name="Room">The room.</param>
/// <param name="End">The place behind the last message, in the direction asked for: where the next page begins.</param>
/// <param name="Last">The room's last offset.</param>
/// <param name="Floor">The offset before the oldest message kept.</param>
/// <param name="IsRecovered">Whether nothing is missing between the place asked for and the first message; null if it was not asked.</param>
/// <param name="Messages">The messages, oldest first or newest first.</param>
internal sealed record MessagePage(
    RoomId Room, Position End, long Last, long Floor, bool? IsRecovered, IReadOnlyList<PageMessage> Messages)
{
    /// <summary>Whether there is a next page.</summary>
    public bool HasMore { get; private init; }

    /// <summary>Takes what was asked for out of what was read, which may begin before it and end behind it.</summary>
    /// <param name="room">The room.</param>
    /// <param name="query">What was asked for.</param>
    /// <param name="read">What was read.</param>
    /// <param name="from">Where to begin.</param>
    public static MessagePage Of(RoomId room, PageQuery query, HistoryPage read, Continuation from)
    {
        var all = query.IsReverse
            ? read.Entries.SelectMany(NewestFirst).SkipWhile(message => message.Offset > from.Start)
            : read.Entries.SelectMany(OldestFirst).SkipWhile(message => message.Offset <= from.Start);
        var messages = all.Take(query.Limit).ToArray();
        var end = messages.Length == 0 ? from.Start : query.IsReverse ? messages[^1].Offset - 1 : messages[^1].Offset;
        return new MessagePage(
            room, new Position(read.Lineage.Epoch, end), read.Last, read.Floor,
            query.Since is null || query.IsReverse ? null : from.IsExact, messages)
        {
            HasMore = messages.Length > 0 && (query.IsReverse ? end > read.Floor : end < read.Last),
        };
    }

    private static IEnumerable<PageMessage> OldestFirst(HistoryEntry entry) =>
        entry.Items.Select((item, i) => new PageMessage(entry.First + i, entry.PublishedAt, item));

    private static IEnumerable<PageMessage> NewestFirst(HistoryEntry entry) => OldestFirst(entry).Reverse();
}

/// <summary>One message of a page.</summary>
/// <param name="Offset">Its offset.</param>
/// <param name="PublishedAt">The publisher's clock; messages that were published together have one time.</param>
/// <param name="Payload">What was published.</param>
internal readonly record struct PageMessage(long Offset, DateTimeOffset PublishedAt, ReadOnlyMemory<byte> Payload);
