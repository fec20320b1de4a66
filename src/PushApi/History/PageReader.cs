using PushBackplane;
using PushBackplane.History;

namespace PushApi.History;

/// <summary>Reads pages of rooms' histories. One per process; any thread.</summary>
internal sealed class PageReader(IRoomHistory history)
{
    /// <summary>One, a second if the epoch has changed, and a third if that happens meanwhile.</summary>
    private const int MaxReads = 3;

    /// <summary>Reads a page.</summary>
    /// <returns>The page, or null and perhaps why the room's home refuses.</returns>
    public async Task<(MessagePage? Page, string? Cause)> ReadAsync(RoomId room, PageQuery query)
    {
        var start = query.Since?.Offset ?? (query.IsReverse ? Position.MaxOffset : 0);
        for (var reads = 0; reads < MaxReads; reads++)
        {
            var answer = await history.ReadAsync(new HistoryQuery(room, start, query.Limit, query.IsReverse));
            if (answer.Page is not { } read)
                return (null, answer.Cause);
            var from = query.Since is { } since ? read.Lineage.Locate(since, read.Last, read.Floor)
                : new Continuation(query.IsReverse ? read.Last : read.Floor, IsExact: true);

            // The number was of another epoch, and the page begins before it.
            if (query.Since is null || from.Start >= start)
                return (MessagePage.Of(room, query, read, from), null);
            start = from.Start;
        }

        return (null, "its epoch changes all the time");
    }
}
