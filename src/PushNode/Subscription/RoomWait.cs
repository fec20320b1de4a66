namespace PushNode.Subscription;

/// <summary>
/// One wait for a room to be received. It is in the room's list until the room is received or the wait is withdrawn, so the rooms that clients hold bound the number of waits.
/// Told by one thread at a time of each event, but two events may overtake each other; the implementation ignores what no longer applies.
/// </summary>
internal abstract class RoomWait
{
    protected RoomWait() => Place = new LinkedListNode<RoomWait>(this);

    /// <summary>Its place in the room's list; guarded by the room's lock.</summary>
    public LinkedListNode<RoomWait> Place { get; }

    /// <summary>Whether the wait began while the room's server was away, or has been told since; guarded by the room's lock.</summary>
    public bool KnowsOfOutage { get; set; }

    /// <summary>The room is received, and the wait is over. Called without the room's lock; must not throw.</summary>
    public abstract void OnReceiving();

    /// <summary>The room's server went away, and the wait goes on. Called without the room's lock; must not throw.</summary>
    public abstract void OnAway();
}
