using PushNode.Connections;

namespace PushNode.FanOut;

/// <summary>A room's members, spread over the shards. Any thread.</summary>
internal sealed class RoomMembers(Shards shards)
{
    private readonly MemberSet?[] _sets = new MemberSet?[shards.Count];

    /// <summary>How many members there are, give or take those that come or go in this instant.</summary>
    public int Count => _sets.Sum(set => Volatile.Read(ref set)?.Count ?? 0);

    public void Add(Membership membership)
    {
        ref var set = ref _sets[membership.Connection.Shard];
        if (Volatile.Read(ref set) is null)
            Interlocked.CompareExchange(ref set, new MemberSet(), null);
        shards[membership.Connection.Shard].Add(set!, membership);
    }

    public void Remove(Membership membership) =>
        shards[membership.Connection.Shard].Remove(_sets[membership.Connection.Shard]!, membership);

    /// <summary>The members in one shard, or null when there are none.</summary>
    public MemberSet? In(int shard) => Volatile.Read(ref _sets[shard]) is { Count: > 0 } set ? set : null;
}
