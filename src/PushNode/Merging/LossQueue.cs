using System.Diagnostics.CodeAnalysis;

namespace PushNode.Merging;

/// <summary>
/// Rooms whose members do not know yet that messages were lost in an outage. An outage affects all rooms at once; a GAP to all members in the same instant would come on top of
/// everything else that happens when Redis returns, and clients that load what they missed would all do so together. So each room has a random time within
/// <see cref="Settings.MergeSettings.GapSpread"/>, unless its next PUSH is earlier, since a PUSH never overtakes a GAP. Belongs to a merger.
/// </summary>
internal sealed class LossQueue(MergeClock clock)
{
    // A room that was told early, by its PUSH, stands in it until its time comes and is passed over.
    private readonly PriorityQueue<RoomMerge, long> _due = new();

    /// <summary>Messages of a room were lost. The room gets one GAP, however often that happens until then.</summary>
    public void Add(RoomMerge room, long now)
    {
        if (room.LossDue is not null)
            return;
        var due = now + clock.GapDelay();
        room.LossDue = due;
        _due.Enqueue(room, due);
    }

    /// <summary>Takes a room whose time has come.</summary>
    /// <param name="now">The time; the largest number for all rooms, due or not.</param>
    /// <param name="room">The room.</param>
    /// <returns>False when there is none.</returns>
    public bool TryTake(long now, [NotNullWhen(true)] out RoomMerge? room)
    {
        while (_due.TryPeek(out room, out var due) && due <= now)
        {
            _due.Dequeue();
            if (room.LossDue == due)
                return true;
        }

        room = null;
        return false;
    }

    /// <summary>How long until the next one is due; null when none waits.</summary>
    public TimeSpan? UntilNext(long now) => _due.TryPeek(out _, out var due) ? clock.Until(due, now) : null;
}
