using PushNode.Messages;

namespace PushNode.Merging;

/// <summary>Messages of one room that leave together, and how many were lost right before them. Owned by the room's <see cref="RoomMerge"/>, on whose thread it is used.</summary>
internal sealed class Batch
{
    private readonly Queue<ReadOnlyMemory<byte>> _messages = new();

    /// <summary>Oldest first.</summary>
    public IReadOnlyCollection<ReadOnlyMemory<byte>> Messages => _messages;

    public int Count => _messages.Count;

    /// <summary>The messages' lengths, with a comma for each.</summary>
    public int Bytes { get; private set; }

    /// <summary>The publisher's clock for the oldest message; null when no publisher gave one.</summary>
    public DateTimeOffset? PublishedAt { get; private set; }

    /// <summary>Messages lost right before the oldest one.</summary>
    public long Missed { get; private set; }

    /// <summary>Why they were lost, as a GAP says it.</summary>
    public string Reason { get; private set; } = GapReason.Overload;

    /// <summary>Nothing to send and nothing to tell.</summary>
    public bool IsEmpty => Count == 0 && Missed == 0;

    public void Add(ReadOnlyMemory<byte> json, DateTimeOffset? publishedAt)
    {
        _messages.Enqueue(json);
        Bytes += json.Length + 1;
        PublishedAt = publishedAt < PublishedAt ? publishedAt : PublishedAt ?? publishedAt;
    }

    /// <summary>Messages are missing in front of the oldest one.</summary>
    public void Miss(long messages, string reason = GapReason.Overload)
    {
        Missed += messages;
        // A failure explains more than the overload that came with it.
        if (reason != GapReason.Overload)
            Reason = reason;
    }

    /// <summary>The members know what was missing.</summary>
    public void MissNothing() => (Missed, Reason) = (0, GapReason.Overload);

    /// <summary>Drops the oldest message, which is missing from then on.</summary>
    public void DropOldest()
    {
        Bytes -= _messages.Dequeue().Length + 1;
        Miss(1);
    }

    /// <summary>Drops all messages, which are missing from then on.</summary>
    /// <returns>How many there were.</returns>
    public int DropAll()
    {
        var dropped = Count;
        _messages.Clear();
        Bytes = 0;
        PublishedAt = null;
        Miss(dropped);
        return dropped;
    }

    /// <summary>Begins anew.</summary>
    public void Clear()
    {
        _messages.Clear();
        Bytes = 0;
        PublishedAt = null;
        MissNothing();
    }
}
