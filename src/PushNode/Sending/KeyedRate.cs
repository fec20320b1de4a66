using System.Runtime.InteropServices;
using PushNode.Connections;

namespace PushNode.Sending;

/// <summary>
/// A rate of each of many users or rooms. A key is kept only until its whole burst is available again, which is seconds, so the number of
/// keys follows from how many send at a time. Lives as long as the node; any thread.
/// </summary>
/// <param name="rate">The rate of one key.</param>
/// <param name="most">The number of keys it keeps; while it is full, a further key is over its rate.</param>
internal sealed class KeyedRate<TKey>(RateLimit rate, int most) where TKey : notnull
{
    private readonly Lock _lock = new();
    private readonly Dictionary<TKey, long> _used = [];

    /// <summary>The number of keys.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _used.Count;
        }
    }

    /// <summary>Takes one from the allowance of a key.</summary>
    /// <returns>False, with nothing taken, if it is over its rate.</returns>
    public bool TryTake(TKey key, long now)
    {
        lock (_lock)
        {
            if (_used.Count == most && !_used.ContainsKey(key))
                return false;
            ref var used = ref CollectionsMarshal.GetValueRefOrAddDefault(_used, key, out _);
            return rate.TryTake(ref used, now);
        }
    }

    /// <summary>Forgets the keys whose whole burst is available. Called by the node's tick.</summary>
    public void Sweep(long now)
    {
        lock (_lock)
        {
            foreach (var (key, used) in _used)
            {
                if (used <= now)
                    _used.Remove(key);
            }

            // Those of a flood must not stay allocated.
            if (_used.Count == 0)
                _used.TrimExcess();
        }
    }
}
