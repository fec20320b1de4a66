using PushNode.Connections;
using PushNode.Messages;

namespace PushNode.FanOut;

/// <summary>A room's members, by shard and variant. Any thread.</summary>
internal sealed class RoomMembers(Shards shards)
{
    private readonly MemberSet?[] _sets = new MemberSet?[shards.Count * Batch.VariantCount];

    /// <summary>The number of members; approximate while members join or leave.</summary>
    public int Count => _sets.Sum(set => set?.Count ?? 0);

    public void Add(Membership membership) => shards[membership.Connection.Shard].Add(ref SetOf(membership.Connection), membership);

    public void Remove(Membership membership) => shards[membership.Connection.Shard].Remove(SetOf(membership.Connection)!, membership);

    /// <summary>The members of one variant in one shard; null if there are none.</summary>
    public MemberSet? In(int shard, Variant variant) => Volatile.Read(ref Set(shard, variant)) is { Count: > 0 } set ? set : null;

    // If there is a second variant, the connection must say which one its client gets.
    private ref MemberSet? SetOf(Connection connection) => ref Set(connection.Shard, Variant.Json);

    private ref MemberSet? Set(int shard, Variant variant) => ref _sets[shard * Batch.VariantCount + (int)variant];
}

/// <summary>
/// The members of one room and variant in one shard, contiguous in memory. Guarded by the shard's lock, except for <see cref="Count"/>.
/// </summary>
internal sealed class MemberSet
{
    private Membership[] _members = [];
    private int _count;

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

    public int ListLocked(ref Membership[] buffer)
    {
        if (buffer.Length < _count)
            buffer = new Membership[_members.Length];
        Array.Copy(_members, buffer, _count);
        return _count;
    }
}
