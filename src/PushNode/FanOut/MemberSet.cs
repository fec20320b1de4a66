using PushNode.Connections;

namespace PushNode.FanOut;

/// <summary>The members that one room has in one shard, side by side in memory. Guarded by the shard's lock, all but <see cref="Count"/>.</summary>
internal sealed class MemberSet
{
    private Membership[] _members = [];
    private int _count;

    /// <summary>How many members; may be read without the lock, by whom a change in the same instant does not matter to.</summary>
    public int Count => Volatile.Read(ref _count);

    public void AddLocked(Membership membership)
    {
        if (_count == _members.Length)
            Array.Resize(ref _members, _count + Math.Max(4, _count / 4));
        membership.Slot = _count;
        _members[_count] = membership;
        Volatile.Write(ref _count, _count + 1);
    }

    /// <summary>The last member takes the place of the one that leaves.</summary>
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
