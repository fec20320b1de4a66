namespace PushNode.Subscription;

/// <summary>
/// One wait until the node receives a room. It stays in the room's list until then or until it is withdrawn, so the number of waits is
/// bounded by the rooms that clients hold. One thread at a time reports an event, but two events may arrive in the wrong order; the
/// implementation ignores a stale one.
/// </summary>
internal abstract class RoomWait
{
    protected RoomWait() => Place = new LinkedListNode<RoomWait>(this);

    /// <summary>Its place in the room's list; guarded by the room's lock.</summary>
    public LinkedListNode<RoomWait> Place { get; }

    /// <summary>
    /// Whether the wait began during an outage of the room's server, or has been told of one since; guarded by the room's lock.
    /// </summary>
    public bool KnowsOfOutage { get; set; }

    /// <summary>The node receives the room and the wait is over. Called without the room's lock; must not throw.</summary>
    public abstract void OnReceiving();

    /// <summary>The room's server is unavailable and the wait continues. Called without the room's lock; must not throw.</summary>
    public abstract void OnAway();
}
