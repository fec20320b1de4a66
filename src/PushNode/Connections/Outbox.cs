using PushNode.Framing;

namespace PushNode.Connections;

/// <summary>
/// What one connection's wire did not take yet, oldest first. Exists only while there is something in it; guarded by the connection's gate.
/// Frames are shared, so an outbox costs a few words for each, not their bytes.
/// </summary>
/// <param name="openedAt">Now, as a time stamp: from here on a client may be stuck, not from when it last had something to take.</param>
internal sealed class Outbox(long openedAt)
{
    /// <summary>What a frame counts for beside its bytes, about what it costs in memory: a PONG of two bytes is a list node, a frame and an array.</summary>
    public const int EntryBytes = 128;

    private readonly LinkedList<Entry> _entries = [];

    /// <summary>When the wire last took something, as a time stamp.</summary>
    public long AcceptedAt { get; set; } = openedAt;

    /// <summary>How much of the oldest frame the wire has taken.</summary>
    public int Offset { get; private set; }

    /// <summary>What all frames in it count for.</summary>
    public long Bytes { get; private set; }

    public bool IsEmpty => _entries.Count == 0;

    /// <summary>What a frame counts for.</summary>
    public static int Cost(Frame frame) => frame.Length + EntryBytes;

    public void Add(Entry entry)
    {
        _entries.AddLast(entry);
        Bytes += Cost(entry.Frame);
    }

    /// <summary>The oldest frame; a GAP comes before the frame of a room whose older ones were dropped.</summary>
    public Frame Oldest()
    {
        var oldest = _entries.First!.Value;
        if (Offset == 0 && oldest.Membership is { Missed: not 0 } membership)
        {
            var gap = membership.Frames.Gap(membership.Missed, membership.Missed is null ? GapReason.Backplane : GapReason.Slow);
            membership.Missed = 0;
            _entries.AddFirst(new Entry(gap, null));
            Bytes += Cost(gap);
            return gap;
        }

        return oldest.Frame;
    }

    /// <summary>Whether a frame is in it.</summary>
    public bool Contains(Frame frame) => _entries.Any(entry => entry.Frame == frame);

    /// <summary>The wire has taken part of the oldest frame.</summary>
    public void Advance(int accepted) => Offset += accepted;

    /// <summary>The wire has taken the rest of the oldest frame.</summary>
    public void RemoveOldest()
    {
        Bytes -= Cost(_entries.First!.Value.Frame);
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
            membership.Missed += frame.Loss;
            Bytes -= Cost(frame);
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
            Bytes -= Cost(node.Value.Frame);
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
