using PushBackplane;
using PushNode.FanOut;
using PushNode.Telemetry;

namespace PushNode.Merging;

/// <summary>
/// Validates payloads, puts their messages into their rooms' batches and sends batches on their way when they are due. If handling a room throws, that room loses its waiting messages, and no other
/// room is affected. Single-threaded: owned by one merge worker, or by a test that names the time.
/// </summary>
internal sealed class Merger(MergeClock clock, Shards shards, NodeMetrics metrics, Failures failures)
{
    // A room stands in it once for every due time that its open batch has had; all but the last are passed over.
    private readonly PriorityQueue<RoomMerge, long> _open = new();

    // Rooms whose batch is due but whose previous frame is still on its way.
    private readonly HashSet<RoomMerge> _held = [];

    private readonly LossQueue _losses = new(clock);

    /// <summary>Takes in one payload: a message, or an envelope of several.</summary>
    public void Accept(RoomMerge room, ReadOnlyMemory<byte> payload, long now)
    {
        var isCounted = false;
        try
        {
            Accept(room, payload, now, ref isCounted);
        }
        catch (Exception bug)
        {
            if (!isCounted)
                room.CountReceived(1, metrics);
            Fail(room, now, bug);
        }
    }

    /// <summary>Messages of the room are missing after those received so far.</summary>
    public void Lose(RoomMerge room, long messages, long now)
    {
        try
        {
            room.Lose(messages, now, metrics);
            _open.Enqueue(room, room.Due);
        }
        catch (Exception bug)
        {
            Fail(room, now, bug);
        }
    }

    /// <summary>A room's frame has left all shards: what became due meanwhile goes with the next <see cref="FlushDue"/>.</summary>
    public void FrameLeft(RoomMerge room)
    {
        room.OnFrameLeft();
        if (!_held.Remove(room))
            return;
        room.IsHeld = false;
        _open.Enqueue(room, room.Due);
    }

    /// <summary>Messages of a room were lost in an outage: its GAP goes out after what was received before and before what comes now, at once or later.</summary>
    public void Gap(RoomMerge room, long now)
    {
        try
        {
            while (room.IsOpen)
                Flush(room, now);
            _losses.Add(room, now);
        }
        catch (Exception bug)
        {
            Fail(room, now, bug);
        }
    }

    /// <summary>Sends every batch that may leave on its way, and every GAP whose time has come.</summary>
    /// <returns>How long nothing will be due; null when nothing waits for its time.</returns>
    public TimeSpan? FlushDue(long now)
    {
        while (_losses.TryTake(now, out var lost))
            TellLoss(lost, now);
        var batch = FlushDueBatches(now);
        return _losses.UntilNext(now) is { } gap && !(batch < gap) ? gap : batch;
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

    /// <summary>Sends every open batch and every GAP on its way, due or not.</summary>
    public void FlushAll(long now)
    {
        foreach (var room in (RoomMerge[])[.. _held, .. _open.UnorderedItems.Select(entry => entry.Element)])
            FlushWhole(room, now);
        while (_losses.TryTake(long.MaxValue, out var lost))
            TellLoss(lost, now);
    }

    private void Accept(RoomMerge room, ReadOnlyMemory<byte> payload, long now, ref bool isCounted)
    {
        if (!Envelope.IsEnvelope(payload.Span))
        {
            room.CountReceived(1, metrics);
            isCounted = true;
            Add(room, payload, null, now);
        }
        else if (Envelope.TryDecode(payload, out var publishedAt, out var items))
        {
            room.CountReceived(items.Length, metrics);
            isCounted = true;
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

    private void AddValid(RoomMerge room, ReadOnlyMemory<byte> json, DateTimeOffset? publishedAt, long now)
    {
        // Before the next message, not after the rest of a burst: that would be dropped although nothing is on its way.
        if (room.IsFull(clock.Settings) && !room.IsFrameOnItsWay)
            Flush(room, now);
        if (room.Add(json, publishedAt, now, clock, metrics))
            _open.Enqueue(room, room.Due);
    }

    private void FlushOrHold(RoomMerge room, long now)
    {
        if (!room.IsOpen)
            return;
        if (room.IsFrameOnItsWay)
        {
            if (_held.Add(room))
                room.IsHeld = true;
            return;
        }

        try
        {
            Flush(room, now);
        }
        catch (Exception bug)
        {
            Fail(room, now, bug);
        }
    }

    private void TellLoss(RoomMerge room, long now)
    {
        try
        {
            room.TellLoss(shards);
        }
        catch (Exception bug)
        {
            Fail(room, now, bug);
        }
    }

    private void FlushWhole(RoomMerge room, long now)
    {
        try
        {
            while (room.IsOpen)
                Flush(room, now);
        }
        catch (Exception bug)
        {
            Fail(room, now, bug);
        }
    }

    private void Flush(RoomMerge room, long now)
    {
        room.IsHeld = false;
        _held.Remove(room);
        if (room.Flush(now, clock, shards, metrics))
            _open.Enqueue(room, room.Due);
    }

    /// <summary>A bug in handling one room: its waiting messages are dropped, and its members get a GAP.</summary>
    private void Fail(RoomMerge room, long now, Exception bug)
    {
        room.IsHeld = false;
        _held.Remove(room);
        var dropped = room.Fail(now, clock, metrics);
        _open.Enqueue(room, room.Due);
        failures.Add(log => log.RoomFailed(bug, dropped));
    }

    private void Add(RoomMerge room, ReadOnlyMemory<byte> payload, DateTimeOffset? publishedAt, long now)
    {
        if (!MessagePayload.TryReadJson(payload, out var json))
            room.Drop(1, MessageDrop.InvalidUtf8, metrics);
        else if (json.Length > clock.Settings.MaxBatchBytes)
            room.Drop(1, MessageDrop.TooLarge, metrics);
        else
            AddValid(room, json, publishedAt, now);
    }
}
