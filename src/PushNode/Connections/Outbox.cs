using PushNode.Framing;

namespace PushNode.Connections;

/// <summary>
/// What one connection's wire did not take yet, oldest first. Exists only while there is something in it; guarded by the connection's gate.
/// Frames are shared, so an outbox costs a few words for each, not their bytes.
/// </summary>
internal sealed class Outbox
{
    private readonly LinkedList<Entry> _entries = [];

    /// <summary>How much of the oldest frame the wire has taken.</summary>
    public int Offset { get; private set; }

    /// <summary>The lengths of all frames in it.</summary>
    public long Bytes { get; private set; }

    public bool IsEmpty => _entries.Count == 0;

    public void Add(Entry entry)
    {
        _entries.AddLast(entry);
        Bytes += entry.Frame.Length;
    }

    /// <summary>The oldest frame; a GAP comes before the frame of a room whose older ones were dropped.</summary>
    public Frame Oldest()
    {
        var oldest = _entries.First!.Value;
        if (Offset == 0 && oldest.Membership is { Missed: > 0 } membership)
        {
            var gap = membership.Frames.Gap(membership.Missed, GapReason.Slow);
            membership.Missed = 0;
            _entries.AddFirst(new Entry(gap, null));
            Bytes += gap.Length;
            return gap;
        }

        return oldest.Frame;
    }

    /// <summary>The wire has taken part of the oldest frame.</summary>
    public void Advance(int accepted) => Offset += accepted;

    /// <summary>The wire has taken the rest of the oldest frame.</summary>
    public void RemoveOldest()
    {
        Bytes -= _entries.First!.Value.Frame.Length;
        _entries.RemoveFirst();
        Offset = 0;
    }

    /// <summary>Drops the oldest PUSH of which nothing is sent, and remembers how much its room's member misses.</summary>
    /// <returns>How many deliveries that was, or null when there is none to drop.</returns>
    public int? DropOldestPush()
    {
        for (var node = FirstUnsent(); node is not null; node = node.Next)
        {
            if (node.Value is not { Membership: { } membership, Frame: var frame })
                continue;
            membership.Missed += frame.Deliveries;
            Bytes -= frame.Length;
            _entries.Remove(node);
            return frame.Deliveries;
        }

        return null;
    }

    /// <summary>Drops everything but a frame that is already begun, which has to be finished.</summary>
    /// <returns>How many deliveries were dropped.</returns>
    public long DropUnsent()
    {
        long deliveries = 0;
        while (FirstUnsent() is { } node)
        {
            deliveries += node.Value.Frame.Deliveries;
            Bytes -= node.Value.Frame.Length;
            _entries.Remove(node);
        }

        return deliveries;
    }

    /// <summary>How many deliveries are in it, a begun one included: what is lost when the connection is.</summary>
    public long Deliveries() => _entries.Sum(entry => (long)entry.Frame.Deliveries);

    private LinkedListNode<Entry>? FirstUnsent() => Offset > 0 ? _entries.First!.Next : _entries.First;

    /// <param name="Frame">What is to be sent.</param>
    /// <param name="Membership">For whom, when it is a frame of a room that may be dropped; null for answers and control frames.</param>
    public readonly record struct Entry(Frame Frame, Membership? Membership);
}
