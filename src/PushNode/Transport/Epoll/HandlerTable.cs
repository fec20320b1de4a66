namespace PushNode.Transport.Epoll;

/// <summary>
/// The handlers of one loop, under keys that are never reused: a slot's index, which is reused, with the slot's generation, which is not.
/// It is an array to make the lookup for each event fast, and to keep the cost of a connection to one reference. The loop's thread only,
/// except for the count.
/// </summary>
internal sealed class HandlerTable
{
    private readonly Stack<int> _free = new();
    private Slot[] _slots = new Slot[64];
    private int _used;
    private int _count;

    /// <summary>The number of handlers. Any thread.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>All handlers, in a list of its own.</summary>
    public IReadOnlyList<EpollHandler> All => [.. _slots.Take(_used).Select(slot => slot.Handler).OfType<EpollHandler>()];

    /// <summary>Takes a slot.</summary>
    /// <returns>Its key; never 0.</returns>
    public ulong Add(EpollHandler handler)
    {
        if (!_free.TryPop(out var index))
            index = _used++;
        if (index == _slots.Length)
            Array.Resize(ref _slots, _slots.Length + _slots.Length / 4);
        ref var slot = ref _slots[index];
        slot.Handler = handler;
        Volatile.Write(ref _count, _count + 1);
        return (ulong)++slot.Generation << 32 | (uint)index;
    }

    /// <summary>The handler under a key; null if it was removed.</summary>
    public EpollHandler? Find(ulong key)
    {
        ref var slot = ref _slots[(uint)key];
        return slot.Generation == (uint)(key >> 32) ? slot.Handler : null;
    }

    /// <exception cref="InvalidOperationException">The key was removed: a bug, which would misdirect another handler's events.</exception>
    public void Replace(ulong key, EpollHandler handler) => Taken(key).Handler = handler;

    /// <exception cref="InvalidOperationException">
    /// The key was already removed, which is a bug: removing it again would give the slot to two handlers at once.
    /// </exception>
    public void Remove(ulong key)
    {
        Taken(key).Handler = null;
        _free.Push((int)(uint)key);
        Volatile.Write(ref _count, _count - 1);
    }

    private ref Slot Taken(ulong key)
    {
        if (Find(key) is null)
            throw new InvalidOperationException("The key was already removed.");
        return ref _slots[(uint)key];
    }

    private struct Slot
    {
        public EpollHandler? Handler;
        public uint Generation;
    }
}

/// <summary>Receives the events of a descriptor. Belongs to one loop and is called by its thread only.</summary>
internal abstract class EpollHandler
{
    /// <summary>Events arrived: a combination of EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP and EPOLLERR.</summary>
    public abstract void OnEvents(uint events);

    /// <summary>The turn that it asked for (<see cref="EpollLoop.AskForTurn"/>). Its connection may have ended meanwhile.</summary>
    public virtual void OnTurn()
    {
        // Most handlers never ask.
    }

    /// <summary>One of its methods threw, which is a bug: reports it and ends its connection if it has one. The loop continues.</summary>
    public abstract void OnFailed(Exception e);
}
