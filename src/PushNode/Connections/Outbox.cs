using PushNode.Messages;

namespace PushNode.Connections;

/// <summary>
/// What one connection's wire did not take yet, oldest first. Exists only while there is something in it; guarded by the connection's gate.
/// Frames are shared, so an outbox costs a few words for each, not their bytes.
/// </summary>
/// <param name="total">What all outboxes hold together; this one's part is given back by <see cref="Clear"/> at the latest.</param>
/// <param name="openedAt">Now, as a time stamp: from here on a client may be stuck, not from when it last had something to take.</param>
internal sealed class Outbox(OutboxTotal total, long openedAt)
{
    /// <summary>What a frame counts for beside its bytes, about what it costs in memory: a PONG of two bytes is a list node, a frame and an array.</summary>
    public const int EntryBytes = 128;

    /// <summary>Small frames are joined up to this size, because a write of their own costs more than the copy.</summary>
    private const int MaxJoined = 16 * 1024;

    private readonly LinkedList<Entry> _entries = [];
    private int _answers;

    /// <summary>When the wire last took something, as a time stamp.</summary>
    public long AcceptedAt { get; set; } = openedAt;

    /// <summary>How much of the oldest frame the wire has taken.</summary>
    public int Offset { get; private set; }

    /// <summary>What all frames in it count for.</summary>
    public long Bytes { get; private set; }

    public bool IsEmpty => _entries.Count == 0;

    /// <summary>Whether answers to the client's own messages are in it, which are never dropped.</summary>
    public bool HasAnswers => _answers > 0;

    /// <summary>What a frame counts for.</summary>
    public static int Cost(Frame frame) => frame.Length + EntryBytes;

    public void Add(Entry entry)
    {
        _entries.AddLast(entry);
        Count(entry);
    }

    /// <summary>
    /// The bytes to write next: the rest of the oldest frame, with the small ones behind it. A GAP comes before the frame of a room whose older ones were dropped.
    /// </summary>
    public ReadOnlyMemory<byte> Next()
    {
        TellMissed();
        var first = _entries.First!;
        var rest = first.Value.Frame.Bytes[Offset..];
        var length = rest.Length;
        var end = first.Next;
        // A frame that needs a GAP before it waits until it is the oldest: until then more may be dropped, and one GAP tells it all.
        for (; end is { Value: var next } && next.Membership is not { Missed: not 0 } && length + next.Frame.Length <= MaxJoined; end = end.Next)
            length += next.Frame.Length;
        if (length == rest.Length)
            return rest;

        // Not reused: a stream may look at it until the write has ended.
        var joined = GC.AllocateUninitializedArray<byte>(length);
        rest.CopyTo(joined);
        var at = rest.Length;
        for (var node = first.Next; node != end; node = node!.Next)
        {
            node!.Value.Frame.Bytes.CopyTo(joined.AsMemory(at));
            at += node.Value.Frame.Length;
        }

        return joined;
    }

    /// <summary>Whether a frame is in it.</summary>
    public bool Contains(Frame frame) => _entries.Any(entry => entry.Frame == frame);

    /// <summary>The wire has taken <paramref name="count"/> bytes from the beginning.</summary>
    /// <returns>How many PUSH frames that finished, and with how many deliveries.</returns>
    public (int Pushes, long Deliveries) Accept(int count)
    {
        var (pushes, deliveries) = (0, 0L);
        while (count > 0)
        {
            var oldest = _entries.First!;
            var frame = oldest.Value.Frame;
            if (count < frame.Length - Offset)
            {
                Offset += count;
                break;
            }

            count -= frame.Length - Offset;
            Offset = 0;
            Remove(oldest);
            deliveries += frame.Deliveries;
            pushes += frame.Deliveries > 0 ? 1 : 0;
        }

        return (pushes, deliveries);
    }

    /// <summary>Drops the oldest PUSH of which nothing is sent, and remembers how much its room's member misses.</summary>
    /// <returns>How many deliveries that was, or null when there is none to drop.</returns>
    public int? DropOldestPush()
    {
        for (var node = FirstUnsent(); node is not null; node = node.Next)
        {
            if (node.Value.Membership is not null)
                return DropPush(node, node.Value.Membership);
        }

        return null;
    }

    /// <summary>Drops every PUSH of which nothing is sent, like <see cref="DropOldestPush"/>.</summary>
    /// <returns>How many deliveries those were, or null when there was none to drop.</returns>
    public long? DropPushes()
    {
        long? deliveries = null;
        for (var node = FirstUnsent(); node is not null;)
        {
            var next = node.Next;
            if (node.Value.Membership is { } membership)
                deliveries = (deliveries ?? 0) + DropPush(node, membership);
            node = next;
        }

        return deliveries;
    }

    /// <summary>Drops everything but a frame that is already begun, which has to be finished.</summary>
    /// <returns>How many deliveries were dropped.</returns>
    public long DropUnsent()
    {
        long deliveries = 0;
        while (FirstUnsent() is { } node)
        {
            deliveries += node.Value.Frame.Deliveries;
            Remove(node);
        }

        return deliveries;
    }

    /// <summary>Drops everything, because the connection has ended.</summary>
    /// <returns>How many deliveries are lost, a begun one included.</returns>
    public long Clear()
    {
        Offset = 0;
        return DropUnsent();
    }

    /// <summary>Its part of what all outboxes hold together.</summary>
    public long Share()
    {
        long share = 0;
        foreach (var entry in _entries)
            share += OutboxTotal.Share(entry.Frame);
        return share;
    }

    private void TellMissed()
    {
        if (Offset > 0 || _entries.First!.Value.Membership is not { Missed: not 0 } membership)
            return;
        var gap = new Entry(membership.Frames.EncodeGap(membership.Missed, membership.Missed is null ? GapReason.Backplane : GapReason.Slow), null);
        membership.Missed = 0;
        _entries.AddFirst(gap);
        Count(gap);
    }

    private int DropPush(LinkedListNode<Entry> node, Membership membership)
    {
        membership.Missed += node.Value.Frame.Loss;
        Remove(node);
        return node.Value.Frame.Deliveries;
    }

    private void Count(Entry entry)
    {
        Bytes += Cost(entry.Frame);
        _answers += entry.IsAnswer ? 1 : 0;
        total.Add(entry.Frame);
    }

    private void Remove(LinkedListNode<Entry> node)
    {
        _entries.Remove(node);
        Bytes -= Cost(node.Value.Frame);
        _answers -= node.Value.IsAnswer ? 1 : 0;
        total.Remove(node.Value.Frame);
    }

    private LinkedListNode<Entry>? FirstUnsent() => Offset > 0 ? _entries.First!.Next : _entries.First;

    /// <param name="Frame">What is to be sent.</param>
    /// <param name="Membership">For whom, when it is a frame of a room that may be dropped; null for answers and control frames.</param>
    /// <param name="IsAnswer">Whether it answers a message of the client's.</param>
    public readonly record struct Entry(Frame Frame, Membership? Membership, bool IsAnswer = false);
}
