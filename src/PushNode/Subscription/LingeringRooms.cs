namespace PushNode.Subscription;

/// <summary>
/// The rooms without holders, in the order in which their last holders left. A room is listed at most once, however often it is joined and
/// left, and is removed when it is held again. Any thread. No other lock is taken under its lock.
/// </summary>
internal sealed class LingeringRooms
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Room> _rooms = new();

    /// <summary>Adds a room at the end. The caller holds the room's lock.</summary>
    public void Add(Room room, long now)
    {
        lock (_lock)
        {
            room.LingersSince = now;
            _rooms.AddLast(room.Lingering ??= new LinkedListNode<Room>(room));
        }
    }

    /// <summary>Removes a room if it is in the list. The caller holds the room's lock.</summary>
    public void Remove(Room room)
    {
        if (room.Lingering is null)
            return;
        lock (_lock)
        {
            if (room.Lingering.List is not null)
                _rooms.Remove(room.Lingering);
        }
    }

    /// <summary>Whether a room is in the list. The caller holds the room's lock.</summary>
    public bool Contains(Room room)
    {
        lock (_lock)
            return room.Lingering?.List is not null;
    }

    /// <summary>Removes and returns the oldest room if there are more than <paramref name="count"/>.</summary>
    public Room? TakeOldestBeyond(int count)
    {
        lock (_lock)
            return _rooms.Count > count ? TakeOldestLocked() : null;
    }

    /// <summary>Removes and returns the oldest room if it has lingered since that time or longer.</summary>
    public Room? TakeOldestSince(long since)
    {
        lock (_lock)
            return _rooms.First is { } oldest && oldest.Value.LingersSince <= since ? TakeOldestLocked() : null;
    }

    private Room TakeOldestLocked()
    {
        var oldest = _rooms.First!.Value;
        _rooms.RemoveFirst();
        return oldest;
    }
}
