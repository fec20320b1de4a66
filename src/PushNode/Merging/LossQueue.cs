using System.Diagnostics.CodeAnalysis;

namespace PushNode.Merging;

/// <summary>
/// Spreads the GAPs after an outage over time. An outage affects all rooms at once; if all members got their GAP in the same instant, that
/// would add to the load of resubscribing to Redis, and all clients would reload missed data together. So each room gets its GAP at a
/// random time within <see cref="Settings.MergeSettings.GapSpread"/>, or with its next PUSH if that is earlier, since a PUSH never
/// overtakes a GAP. Owned by a merger.
/// </summary>
internal sealed class LossQueue(MergeClock clock)
{
    // A room whose PUSH came first stays in the queue until its time and is then skipped.
    private readonly PriorityQueue<RoomBatch, long> _due = new();

    /// <summary>Adds a room that lost messages. It gets one GAP, even if it loses more before then.</summary>
    public void Add(RoomBatch room, long now)
    {
        if (room.LossDue is not null)
            return;
        var due = now + clock.GapDelay();
        room.LossDue = due;
        _due.Enqueue(room, due);
    }

    /// <summary>Takes a room that is due.</summary>
    /// <param name="now">The time; the largest number takes every room, due or not.</param>
    /// <param name="room">The room.</param>
    /// <returns>False if there is none.</returns>
    public bool TryTake(long now, [NotNullWhen(true)] out RoomBatch? room)
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

    /// <summary>The time until the next room is due; null if there is none.</summary>
    public TimeSpan? UntilNext(long now) => _due.TryPeek(out _, out var due) ? clock.Until(due, now) : null;
}
