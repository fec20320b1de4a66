using PushNode.Messages;

namespace PushNode.Merging;

/// <summary>
/// Messages of one room with no loss between them, and the loss before the first. Owned by a <see cref="RoomBatch"/>; used on its thread
/// only.
/// </summary>
internal sealed class Segment
{
    private readonly Queue<RoomMessage> _messages = new();

    /// <summary>Oldest first.</summary>
    public IReadOnlyCollection<RoomMessage> Messages => _messages;

    public int Count => _messages.Count;

    /// <summary>The sum of the messages' lengths, plus one for each.</summary>
    public int Bytes { get; private set; }

    /// <summary>The publisher's clock for the oldest message; null if no publisher gave one.</summary>
    public DateTimeOffset? PublishedAt { get; private set; }

    /// <summary>The number of messages lost before the first one.</summary>
    public long Missed { get; private set; }

    /// <summary>The largest offset of these; 0 if none had a position.</summary>
    public long MissedTo { get; private set; }

    /// <summary>Why they were lost: one of <see cref="GapReason"/>.</summary>
    public string Reason { get; private set; } = GapReason.Overload;

    /// <summary>True if there is nothing to send, not even a GAP.</summary>
    public bool IsEmpty => Count == 0 && Missed == 0;

    public void Add(RoomMessage message, DateTimeOffset? publishedAt)
    {
        _messages.Enqueue(message);
        Bytes += message.Json.Length + 1;
        PublishedAt = publishedAt < PublishedAt ? publishedAt : PublishedAt ?? publishedAt;
    }

    /// <summary>Adds lost messages before the first one.</summary>
    public void Miss(long messages, string reason = GapReason.Overload, long missedTo = 0)
    {
        Missed += messages;
        MissedTo = Math.Max(MissedTo, missedTo);
        // If both happened, a failure explains more than an overload.
        if (reason != GapReason.Overload)
            Reason = reason;
    }

    /// <summary>The members have received the GAP.</summary>
    public void ClearMissed() => (Missed, MissedTo, Reason) = (0, 0, GapReason.Overload);

    /// <summary>Drops the oldest message.</summary>
    public void DropOldest()
    {
        var oldest = _messages.Dequeue();
        Bytes -= oldest.Json.Length + 1;
        Miss(1, missedTo: oldest.Offset);
    }

    /// <summary>Drops all messages.</summary>
    /// <returns>How many there were.</returns>
    public int DropAll()
    {
        var dropped = Count;
        var missedTo = dropped == 0 ? 0 : _messages.Max(message => message.Offset);
        ClearMessages();
        Miss(dropped, missedTo: missedTo);
        return dropped;
    }

    /// <summary>Removes the messages and the loss.</summary>
    public void Clear()
    {
        ClearMessages();
        ClearMissed();
    }

    private void ClearMessages()
    {
        _messages.Clear();
        Bytes = 0;
        PublishedAt = null;
    }
}
