namespace PushBackplane.History;

/// <summary>
/// The histories of rooms, each on the room's home: numbered messages, bounded by count and age. There are two implementations, as of
/// <see cref="IBackplane"/>. One instance per process; any thread. Waits are bounded as those of <see cref="IBackplane.PublishAsync"/>.
/// </summary>
public interface IRoomHistory
{
    /// <summary>Numbers the items, keeps them and publishes them as one envelope, in one atomic step.</summary>
    /// <param name="append">What to append, and where.</param>
    Task<AppendOutcome> AppendAsync(HistoryAppend append);

    /// <summary>Reads one page, oldest first, or newest first. A room that has never had a message gets its epoch by the first reading.</summary>
    Task<HistoryAnswer> ReadAsync(HistoryQuery query);

    /// <summary>
    /// Deletes a room's messages. Its numbering goes on. Nodes are told by an envelope without items, whose position is behind what is deleted.
    /// </summary>
    /// <returns>Null if it was done; otherwise why not, as the end of a sentence.</returns>
    Task<string?> DeleteAsync(RoomId room);
}

/// <summary>Messages for a room with history.</summary>
/// <param name="Room">The room.</param>
/// <param name="Limits">What is kept.</param>
/// <param name="PublishedAt">The publisher's clock.</param>
/// <param name="Items">The messages, as in an <see cref="Envelope"/>. The caller must not change them.</param>
public sealed record HistoryAppend(RoomId Room, HistoryLimits Limits, DateTimeOffset PublishedAt, IReadOnlyList<ReadOnlyMemory<byte>> Items)
{
    /// <summary>The request's key, with which the messages are appended once; null to append them in any case.</summary>
    public IdempotencyKey? Key { get; init; }

    /// <summary>The user whose last message must not be more recent than <see cref="Spacing"/>; null for no such rule. Not together with a key.</summary>
    public UserId? SpacedUser { get; init; }

    /// <summary>The least time between two appends of <see cref="SpacedUser"/>.</summary>
    public TimeSpan Spacing { get; init; }
}

/// <summary>What became of an append.</summary>
/// <param name="Result">What happened.</param>
/// <param name="Nodes">The number of subscribers reached; 0 unless it was appended.</param>
/// <param name="Last">
/// The position behind the last item; the first attempt's if it was replayed, null if that had none. Null unless appended or replayed.
/// </param>
/// <param name="Wait">How long the user has to wait if it was too soon.</param>
/// <param name="Cause">Why the backplane refused, as the end of a sentence; null unless it did.</param>
public readonly record struct AppendOutcome(AppendResult Result, int Nodes = 0, Position? Last = null, TimeSpan Wait = default, string? Cause = null);

/// <summary>What happened to an append.</summary>
public enum AppendResult
{
    /// <summary>It is appended and published.</summary>
    Appended,

    /// <summary>It was appended before with the same key, and not again.</summary>
    Replayed,

    /// <summary>It was not appended: the home is unavailable, or refused for a cause that may pass.</summary>
    NotSent,

    /// <summary>It may or may not have been appended.</summary>
    NotConfirmed,

    /// <summary>It was not appended, because the key belongs to another request.</summary>
    Reused,

    /// <summary>It was not appended, because the user's last message is too recent.</summary>
    TooSoon,

    /// <summary>It was not appended, because the home keeps no histories: the right is missing, or the server is too old.</summary>
    Unsupported,
}

/// <summary>Asks for a page of a room's history.</summary>
/// <param name="Room">The room.</param>
/// <param name="Since">The messages after this offset, of whatever epoch the room has; newest first, those up to this offset.</param>
/// <param name="Limit">
/// The largest number of messages, 0 for none, <see cref="MaxLimit"/> at most. Whole envelopes are read, so that a page may have more.
/// </param>
/// <param name="IsReverse">Whether the newest come first.</param>
public readonly record struct HistoryQuery(RoomId Room, long Since, int Limit, bool IsReverse = false)
{
    /// <summary>The largest <see cref="Limit"/>: an envelope of the API is not larger, and Redis serves nobody else meanwhile.</summary>
    public const int MaxLimit = 1000;

    /// <summary>A page ends with the entry that makes it as large.</summary>
    public const int MaxBytes = 1024 * 1024;
}

/// <summary>The answer to a query.</summary>
/// <param name="Page">The page; null if the room's home is unavailable, did not answer in time, or refused.</param>
/// <param name="Cause">Why the backplane refused for good, as the end of a sentence; null unless it did.</param>
public readonly record struct HistoryAnswer(HistoryPage? Page, string? Cause = null);

/// <summary>One page of a room's history, and where the room stands. Read in one step.</summary>
/// <param name="Lineage">The room's epoch.</param>
/// <param name="Last">The last offset.</param>
/// <param name="Floor">The offset before the oldest message kept; <paramref name="Last"/> if none is.</param>
/// <param name="Entries">The messages in the order asked for. The first entry may begin before what was asked for.</param>
public sealed record HistoryPage(Lineage Lineage, long Last, long Floor, IReadOnlyList<HistoryEntry> Entries);

/// <summary>The messages of one append.</summary>
/// <param name="First">The offset of the first.</param>
/// <param name="PublishedAt">The publisher's clock.</param>
/// <param name="Items">The messages as raw payloads, oldest first.</param>
public sealed record HistoryEntry(long First, DateTimeOffset PublishedAt, IReadOnlyList<ReadOnlyMemory<byte>> Items)
{
    /// <summary>The offset of the last.</summary>
    public long Last => First + Items.Count - 1;
}
