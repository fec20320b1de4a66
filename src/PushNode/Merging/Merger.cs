using PushBackplane;
using PushBackplane.History;
using PushNode.FanOut;
using PushNode.History;
using PushNode.Messages;
using PushNode.Telemetry;

namespace PushNode.Merging;

/// <summary>
/// Validates payloads, adds their messages to their rooms' batches and sends each batch when it is due. If handling a room throws, that
/// room loses its waiting messages and no other room is affected. Single-threaded; owned by a merge worker.
/// </summary>
/// <param name="clock">The settings and the time.</param>
/// <param name="shards">Send the frames.</param>
/// <param name="metrics">Counts messages and batches.</param>
/// <param name="failures">Counts and logs unhandled exceptions.</param>
/// <param name="frameLeft">Called when a room's frame has left all shards, on any thread; leads to <see cref="EndFlight"/>.</param>
/// <param name="answered">Called when a read of a room's history is answered, on any thread; leads to <see cref="OnRead"/>.</param>
/// <param name="histories">Reads the histories of rooms; null if no room has one.</param>
internal sealed partial class Merger(
    MergeClock clock, Shards shards, NodeMetrics metrics, Failures failures, Action<RoomBatch> frameLeft,
    Action<RoomBatch, HistoryRead, HistoryAnswer>? answered = null, Histories? histories = null)
{
    private static readonly byte[] Null = "null"u8.ToArray();

    // A room's entry is stale if its batch's due time has changed since; stale entries are skipped.
    private readonly PriorityQueue<RoomBatch, long> _open = new();

    // The rooms whose batch is due while their previous frame is under way.
    private readonly HashSet<RoomBatch> _held = [];

    private readonly LossQueue _losses = new(clock);

    /// <summary>Adds a payload: one message, or an envelope of several.</summary>
    public void Accept(RoomBatch room, ReadOnlyMemory<byte> payload, long now)
    {
        var isCounted = false;
        try
        {
            Accept(room, payload, now, ref isCounted);
        }
        catch (Exception e)
        {
            if (!isCounted)
                room.CountReceived(1, metrics);
            Fail(room, now, e);
        }
    }

    /// <summary>Messages of the room were lost after those received so far.</summary>
    public void Lose(RoomBatch room, long messages, long now)
    {
        try
        {
            room.Lose(messages, now, metrics);
            _open.Enqueue(room, room.Due);
        }
        catch (Exception e)
        {
            Fail(room, now, e);
        }
    }

    /// <summary>A room's frame has left all shards: a batch that waited for it leaves with the next <see cref="FlushDue"/>.</summary>
    public void EndFlight(RoomBatch room)
    {
        room.EndFlight();
        ReadOn(room);
        if (!_held.Remove(room))
            return;
        room.IsHeld = false;
        _open.Enqueue(room, room.Due);
    }

    /// <summary>
    /// Messages of a room were lost in an outage: its GAP follows the messages received before and precedes later ones, now or after a
    /// delay.
    /// </summary>
    public void Gap(RoomBatch room, long now)
    {
        try
        {
            while (room.IsOpen)
                Flush(room, now);
            _losses.Add(room, now);
        }
        catch (Exception e)
        {
            Fail(room, now, e);
        }
    }

    /// <summary>Sends every batch and every GAP that is due.</summary>
    /// <returns>The time until the next one is due; null if none is waiting.</returns>
    public TimeSpan? FlushDue(long now)
    {
        while (_losses.TryTake(now, out var lost))
            TryTellLoss(lost, now);
        var batch = FlushDueBatches(now);
        return _losses.UntilNext(now) is { } gap && !(batch < gap) ? gap : batch;
    }

    /// <summary>Sends every open batch and every GAP, due or not.</summary>
    public void FlushAll(long now)
    {
        foreach (var room in (RoomBatch[])[.. _held, .. _open.UnorderedItems.Select(entry => entry.Element)])
            FlushWhole(room, now);
        while (_losses.TryTake(long.MaxValue, out var lost))
            TryTellLoss(lost, now);
    }

    private TimeSpan? FlushDueBatches(long now)
    {
        while (_open.TryPeek(out var room, out var due))
        {
            if (room.IsOpen && room.Due == due && due > now)
                return clock.Until(due, now);
            _open.Dequeue();
            if (room.Due == due)
                FlushOrHold(room, now);
        }

        return null;
    }

    private void Accept(RoomBatch room, ReadOnlyMemory<byte> payload, long now, ref bool isCounted)
    {
        if (!Envelope.IsEnvelope(payload.Span))
        {
            room.CountReceived(1, metrics);
            isCounted = true;
            SeePlain(room);
            Add(room, payload, null, now);
        }
        else if (Envelope.TryDecode(payload, out var publishedAt, out var items, out var before))
        {
            room.CountReceived(items.Length, metrics);
            isCounted = true;
            if (before is { } position && room.History?.Follower is { } follower)
            {
                Follow(room, follower, follower.Hold(position, items, publishedAt), now);
                return;
            }

            SeePlain(room);
            foreach (var item in items)
                Add(room, item, publishedAt, now);
        }
        else
        {
            room.CountReceived(1, metrics);
            isCounted = true;
            room.Drop(1, MessageDrop.BadEnvelope, metrics);
        }
    }

    /// <summary>What has no position is not in the history: the next outage may lose more of it.</summary>
    private static void SeePlain(RoomBatch room)
    {
        if (room.History?.Follower is { } follower)
            follower.HasSeenPlain = true;
    }

    /// <param name="room">The room.</param>
    /// <param name="payload">One message as it was published.</param>
    /// <param name="publishedAt">The publisher's clock; null if it gave none.</param>
    /// <param name="now">The time.</param>
    /// <param name="offset">Its number in the room's history; 0 if it has none.</param>
    private void Add(RoomBatch room, ReadOnlyMemory<byte> payload, DateTimeOffset? publishedAt, long now, long offset = 0)
    {
        if (!MessagePayload.TryReadJson(payload, out var json))
            Reject(room, MessageDrop.InvalidUtf8, now, offset);
        else if (json.Length > clock.Settings.MaxBatchBytes)
            Reject(room, MessageDrop.TooLarge, now, offset);
        else
            AddValid(room, new RoomMessage(json, offset), publishedAt, now);
    }

    /// <summary>Drops a message that cannot be delivered. One with a number leaves <c>null</c> in its place, so that the numbers stay whole.</summary>
    private void Reject(RoomBatch room, MessageDrop reason, long now, long offset)
    {
        room.Drop(1, reason, metrics);
        if (offset == 0)
            return;
        room.CountReceived(1, metrics);
        AddValid(room, new RoomMessage(Null, offset), null, now);
    }

    private void AddValid(RoomBatch room, RoomMessage message, DateTimeOffset? publishedAt, long now)
    {
        // Before the next message rather than after the whole burst, which would be dropped although no frame is under way.
        if (room.IsFull(clock.Settings) && !room.IsFrameUnderWay)
            Flush(room, now);
        if (room.Add(message, publishedAt, now, clock, metrics))
            _open.Enqueue(room, room.Due);
    }

    private void FlushOrHold(RoomBatch room, long now)
    {
        if (!room.IsOpen)
            return;
        if (room.IsFrameUnderWay)
        {
            if (_held.Add(room))
                room.IsHeld = true;
            return;
        }

        try
        {
            Flush(room, now);
        }
        catch (Exception e)
        {
            Fail(room, now, e);
        }
    }

    private void FlushWhole(RoomBatch room, long now)
    {
        try
        {
            while (room.IsOpen)
                Flush(room, now);
        }
        catch (Exception e)
        {
            Fail(room, now, e);
        }
    }

    /// <summary>Sends the room's next segment: a GAP, a PUSH, or both. Messages after a loss become the open batch.</summary>
    private void Flush(RoomBatch room, long now)
    {
        Unhold(room);
        TellLoss(room);
        // A lingering room is subscribed but has no members: its messages are merged and not encoded, unless the node remembers them.
        var hasMembers = room.Members.Count > 0 || room.History is not null;
        if (hasMembers)
            Send(room);
        if (room.Advance(hasMembers, now, clock, metrics))
            _open.Enqueue(room, room.Due);
    }

    private void Send(RoomBatch room)
    {
        var segment = room.Segment;
        if (segment.Missed > 0)
            shards.Dispatch(room.Members, room.Frames.Gap(segment.Missed, segment.Reason, PlaceOfLoss(room, segment.MissedTo)));
        segment.ClearMissed();
        if (segment.Count == 0)
            return;
        if ((room.History is null ? room.Frames.Push(segment.Messages) : Remember(room, room.History, segment.Messages)) is not { } batch)
            return;
        var left = room.FrameLeft ??= () => frameLeft(room);
        // From here on the dispatch calls it in any case.
        room.BeginFlight();
        shards.Dispatch(room.Members, batch, segment.PublishedAt, left);
    }

    private void TryTellLoss(RoomBatch room, long now)
    {
        try
        {
            TellLoss(room);
        }
        catch (Exception e)
        {
            Fail(room, now, e);
        }
    }

    /// <summary>Sends a GAP of unknown size if the room lost messages in an outage.</summary>
    private void TellLoss(RoomBatch room)
    {
        if (room.LossDue is null)
            return;
        // Before the dispatch: if that throws, the room's next loss is due again.
        room.LossDue = null;
        shards.Dispatch(room.Members, room.Frames.Gap(null, GapReason.Backplane, PlaceOfLoss(room, missedTo: 0)));
    }

    /// <summary>Handling a room threw, which is a bug: drops the room's waiting messages. Its members get a GAP.</summary>
    private void Fail(RoomBatch room, long now, Exception bug)
    {
        Unhold(room);
        // What waits for a read is among the messages dropped, and is read again.
        if (room.History?.Follower is { } follower && follower.TakeHeld().Count > 0)
            follower.Miss();
        var dropped = room.Fail(now, clock, metrics);
        _open.Enqueue(room, room.Due);
        failures.Add(log => log.RoomFailed(bug, dropped));
    }

    private void Unhold(RoomBatch room)
    {
        room.IsHeld = false;
        _held.Remove(room);
    }
}
