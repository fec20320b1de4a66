namespace PushNode.Status;

/// <summary>Keeps the items with the largest keys of any number that are added.</summary>
/// <typeparam name="T">The items.</typeparam>
internal sealed class Largest<T>(int limit)
{
    // The smallest key first.
    private readonly PriorityQueue<T, long> _kept = new(limit);

    public void Add(T item, long key)
    {
        if (_kept.Count < limit)
            _kept.Enqueue(item, key);
        else if (_kept.TryPeek(out _, out var least) && key > least)
            _kept.DequeueEnqueue(item, key);
    }

    /// <summary>The items, the largest first; equal ones in the order that the comparer gives.</summary>
    public IEnumerable<T> Descending(IComparer<T> equal) =>
        _kept.UnorderedItems.OrderByDescending(kept => kept.Priority).ThenBy(kept => kept.Element, equal).Select(kept => kept.Element);
}
