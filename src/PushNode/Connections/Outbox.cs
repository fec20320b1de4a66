using PushNode.Messages;

namespace PushNode.Connections;

/// <summary>
/// The frames that one connection's wire has not taken yet, oldest first. Exists only while it holds a frame; guarded by the connection's
/// gate. Frames are shared, so an entry costs a few words rather than the frame's bytes.
/// </summary>
/// <param name="total">The total of all outboxes; <see cref="Clear"/> subtracts this outbox's share.</param>
/// <param name="openedAt">The current time stamp. The time until a client counts as stuck starts here, not at its last read.</param>
internal sealed class Outbox(OutboxTotal total, long openedAt)
{
    /// <summary>
    /// Counted for each frame in addition to its bytes, for its memory: a PONG of two bytes is a list node, a frame and an array.
    /// </summary>
    public const int EntryBytes = 128;

    /// <summary>Small frames are joined up to this size: a separate write costs more than the copy.</summary>
    private const int MaxJoined = 16 * 1024;

    private readonly LinkedList<Entry> _entries = [];
    private int _answers;

    /// <summary>When the wire last accepted bytes, as a time stamp.</summary>
    public long AcceptedAt { get; set; } = openedAt;

    /// <summary>The number of bytes of the oldest frame that the wire has accepted.</summary>
    public int Offset { get; private set; }

    /// <summary>The cost of all its frames.</summary>
    public long Bytes { get; private set; }

    public bool IsEmpty => _entries.Count == 0;

    /// <summary>Whether it holds answers to the client's messages, which are never dropped.</summary>
    public bool HasAnswers => _answers > 0;

    /// <summary>The cost of a frame.</summary>
    public static int Cost(Frame frame) => frame.Length + EntryBytes;

    public void Add(Entry entry)
    {
        _entries.AddLast(entry);
        Count(entry);
    }

    /// <summary>
    /// The bytes to write next: the rest of the oldest frame and the small frames after it. If older frames of its room were dropped, a GAP
    /// comes first.
    /// </summary>
    public ReadOnlyMemory<byte> Next()
    {
        ReportMissed();
        var first = _entries.First!;
        var rest = first.Value.Frame.Bytes[Offset..];
        var length = rest.Length;
        var end = first.Next;
        // A frame that needs a GAP before it waits until it is the oldest: if more frames are dropped until then, one GAP reports them all.
        for (; end is { Value: var next } && next.Membership is not { Missed: not 0 } && length + next.Frame.Length <= MaxJoined; end = end.Next)
            length += next.Frame.Length;
        if (length == rest.Length)
            return rest;

        // Not reused: a stream may read it until the write has ended.
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

    /// <summary>Whether it holds a frame.</summary>
    public bool Contains(Frame frame) => _entries.Any(entry => entry.Frame == frame);

    /// <summary>The wire has accepted <paramref name="count"/> more bytes.</summary>
    /// <returns>The number of PUSH frames now completely sent, and the number of their deliveries.</returns>
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

    /// <summary>Drops the oldest PUSH that is not yet begun, and adds its messages to the member's missed ones.</summary>
    /// <returns>The number of deliveries dropped; null if there was no such PUSH.</returns>
    public int? DropOldestPush()
    {
        for (var node = FirstUnsent(); node is not null; node = node.Next)
        {
            if (node.Value.Membership is not null)
                return DropPush(node, node.Value.Membership);
        }

        return null;
    }

    /// <summary>Drops every PUSH that is not yet begun, like <see cref="DropOldestPush"/>.</summary>
    /// <returns>The number of deliveries dropped; null if there was no such PUSH.</returns>
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

    /// <summary>Drops every frame except a begun one, which must be finished.</summary>
    /// <returns>The number of deliveries dropped.</returns>
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

    /// <summary>Drops every frame because the connection has ended.</summary>
    /// <returns>The number of deliveries lost, including those of a begun frame.</returns>
    public long Clear()
    {
        Offset = 0;
        return DropUnsent();
    }

    /// <summary>Its share of the total of all outboxes.</summary>
    public long Share()
    {
        long share = 0;
        foreach (var entry in _entries)
            share += OutboxTotal.Share(entry.Frame);
        return share;
    }

    private void ReportMissed()
    {
        if (Offset > 0 || _entries.First!.Value.Membership is not { Missed: not 0 } membership)
            return;
        var gap = new Entry(membership.TakeMissedGap(), null);
        _entries.AddFirst(gap);
        Count(gap);
    }

    private int DropPush(LinkedListNode<Entry> node, Membership membership)
    {
        membership.Miss(node.Value.Frame);
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

    /// <param name="Frame">The frame.</param>
    /// <param name="Membership">The member, if the frame is a room's and may be dropped; null for answers and control frames.</param>
    /// <param name="IsAnswer">Whether it answers a message of the client.</param>
    public readonly record struct Entry(Frame Frame, Membership? Membership, bool IsAnswer = false);
}
