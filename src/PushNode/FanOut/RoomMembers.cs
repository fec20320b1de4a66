using PushNode.Connections;
using PushNode.Messages;

namespace PushNode.FanOut;

/// <summary>A room's members, by shard and variant. A room has a set only for what has had members. Any thread.</summary>
/// <param name="shards">The node's shards.</param>
/// <param name="change">Marked after each change; null if nobody counts.</param>
internal sealed class RoomMembers(Shards shards, MemberChange? change = null)
{
    /// <summary>The first set of each shard; null if it has had no member.</summary>
    private readonly MemberSet?[] _sets = new MemberSet?[shards.Count];

    /// <summary>The number of members; approximate while members join or leave.</summary>
    public int Count
    {
        get
        {
            var count = 0;
            for (var shard = 0; shard < _sets.Length; shard++)
            {
                for (var set = First(shard); set is not null; set = set.Next)
                    count += set.Count;
            }

            return count;
        }
    }

    /// <summary>The number of members of one variant; approximate while members join or leave.</summary>
    public int CountOf(Variant variant)
    {
        var count = 0;
        for (var shard = 0; shard < _sets.Length; shard++)
            count += Find(shard, variant)?.Count ?? 0;
        return count;
    }

    public void Add(Membership membership)
    {
        shards[membership.Connection.Shard].Add(ref _sets[membership.Connection.Shard], membership);
        change?.Mark();
    }

    public void Remove(Membership membership)
    {
        shards[membership.Connection.Shard].Remove(Find(membership.Connection.Shard, membership.Connection.Variant)!, membership);
        change?.Mark();
    }

    /// <summary>A shard's first set, from which <see cref="MemberSet.Next"/> leads to the others; null if there is none.</summary>
    public MemberSet? First(int shard) => Volatile.Read(ref _sets[shard]);

    private MemberSet? Find(int shard, Variant variant)
    {
        var set = First(shard);
        while (set is not null && set.Variant != variant)
            set = set.Next;
        return set;
    }
}

/// <summary>
/// The members of one room and variant in one shard, contiguous in memory. Guarded by the shard's lock, except for what is marked.
/// </summary>
/// <param name="variant">Its members' variant.</param>
/// <param name="next">The shard's next set of the room.</param>
internal sealed class MemberSet(Variant variant, MemberSet? next)
{
    private Membership[] _members = [];
    private int _count;

    /// <summary>Its members' variant. Safe without the lock.</summary>
    public Variant Variant { get; } = variant;

    /// <summary>The shard's next set of the room, for another variant; null if there is none. Safe without the lock.</summary>
    public MemberSet? Next { get; } = next;

    /// <summary>The frame behind which the next one waits; null if none is queued. Guarded by the lock of the shard's queue.</summary>
    public Share? LastQueued { get; set; }

    /// <summary>The number of members. Safe without the lock if a stale value is acceptable.</summary>
    public int Count => Volatile.Read(ref _count);

    public void AddLocked(Membership membership)
    {
        if (_count == _members.Length)
            Array.Resize(ref _members, _count + Math.Max(4, _count / 4));
        membership.Slot = _count;
        _members[_count] = membership;
        Volatile.Write(ref _count, _count + 1);
    }

    /// <summary>Moves the last member into the slot of the one that leaves.</summary>
    public void RemoveLocked(Membership membership)
    {
        var last = _members[_count - 1];
        _members[membership.Slot] = last;
        last.Slot = membership.Slot;
        _members[_count - 1] = null!;
        Volatile.Write(ref _count, _count - 1);
        if (_members.Length > 16 && _count < _members.Length / 4)
            Array.Resize(ref _members, _members.Length / 2);
    }

    /// <summary>Copies the members into a buffer.</summary>
    /// <param name="buffer">Receives them.</param>
    /// <param name="count">The number of members.</param>
    /// <returns>False if the buffer is too small.</returns>
    public bool TryListLocked(Span<Membership> buffer, out int count)
    {
        count = _count;
        if (buffer.Length < count)
            return false;
        _members.AsSpan(0, count).CopyTo(buffer);
        return true;
    }
}
