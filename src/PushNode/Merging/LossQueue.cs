using PushNode.FanOut;

namespace PushNode.Merging;

/// <summary>
/// Rooms whose members are yet to be told that messages were lost in an outage. An outage strikes all rooms at once; a GAP to each of their members in the same instant would come on top of
/// everything else that happens when Redis returns, and clients that load what they missed would all do so together. So each room has a random time within
/// <see cref="Settings.MergeSettings.GapSpread"/>, unless its next PUSH is earlier, which never passes its GAP. Belongs to a merger.
/// </summary>
internal sealed class LossQueue(MergeClock clock, Shards shards)
{
    // A room that was told early, by its PUSH, stands in it until its time comes and is passed over.
    private readonly PriorityQueue<RoomMerge, long> _due = new();

    /// <summary>Messages of a room were lost. It is told once, however often that happens until then.</summary>
    public void Add(RoomMerge room, long now)
    {
        if (room.LossDue is not null)
            return;
        var due = now + clock.GapDelay();
        room.LossDue = due;
        _due.Enqueue(room, due);
    }

    /// <summary>Tells the rooms whose time has come.</summary>
    /// <returns>How long none will be due; null when none waits.</returns>
    public TimeSpan? TellDue(long now)
    {
        while (_due.TryPeek(out var room, out var due))
        {
            if (due > now)
                return clock.Until(due, now);
            _due.Dequeue();
            if (room.LossDue == due)
                room.TellLoss(shards);
        }

        return null;
    }

    /// <summary>Tells all, due or not.</summary>
    public void TellAll()
    {
        while (_due.TryDequeue(out var room, out _))
            room.TellLoss(shards);
    }
}
