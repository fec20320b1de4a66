using PushBackplane;
using PushBackplane.History;
using PushNode.History;
using PushNode.Messages;
using PushNode.Telemetry;

namespace PushNode.Merging;

/// <content>
/// Rooms with history: an envelope is taken if it continues what was received. Otherwise the room is read, and what comes meanwhile waits. docs/adr/0041
/// has the rules.
/// </content>
internal sealed partial class Merger
{
    /// <summary>The home has acknowledged the room's channel: what was published before is in its history, and what comes later arrives.</summary>
    public void Heal(RoomBatch room, long now)
    {
        if (room.History?.Follower is not { } follower)
            return;
        Read(room, follower, HistoryReadKind.Heal);
        // What has no position is not in the history.
        if (follower.HasSeenPlain)
            Gap(room, now);
        follower.HasSeenPlain = false;
    }

    /// <summary>A payload of the room did not fit into the inbox: its messages are read again.</summary>
    public void HealLoss(RoomBatch room, long now)
    {
        if (room.History?.Follower is not { } follower)
            return;
        if (follower.Phase == FollowPhase.Off)
        {
            Gap(room, now);
            return;
        }

        follower.Miss();
        ReadOn(room);
    }

    /// <summary>Begins the read that the room needs, if none is under way: to heal, or for JOINs that wait.</summary>
    public void ReadOn(RoomBatch room)
    {
        if (room.History?.Follower is not { Read: null, Phase: not FollowPhase.Off } follower)
            return;
        // A page is on its way to the members: the next one would pile up behind it.
        if (follower.Phase == FollowPhase.Healing && room.IsFrameUnderWay)
            return;
        if (follower.Phase != FollowPhase.Live || follower.MustReadAgain)
        {
            Read(room, follower, HistoryReadKind.Heal);
            return;
        }

        var (heal, since) = room.History.TakeWants();
        if (heal)
        {
            Read(room, follower, HistoryReadKind.Look);
        }
        else if (since is { } offset)
        {
            follower.Older.Clear();
            Read(room, follower, HistoryReadKind.Older, offset);
        }
    }

    /// <summary>A read that the room began is answered.</summary>
    public void OnRead(RoomBatch room, HistoryRead read, HistoryAnswer answer, long now)
    {
        if (room.History is not { Follower: { } follower } history || !follower.EndRead(read))
            return;
        var wasOpening = history.IsOpening;
        try
        {
            if (answer.Page is not { } page)
                TurnOff(room, history, follower, now);
            else if (read.Kind == HistoryReadKind.Older)
                TakeOlder(room, history, follower, read, page);
            else if (read.Kind == HistoryReadKind.Look && page.Lineage.Epoch == follower.Lineage?.Epoch && page.Last <= follower.Received)
                history.EndHeal();
            else if (read.Kind == HistoryReadKind.Look)
                Read(room, follower, HistoryReadKind.Heal);
            else
                TakePage(room, history, follower, read, page, now);
        }
        catch (Exception e)
        {
            Fail(room, now, e);
            TurnOff(room, history, follower, now);
        }

        ReadOn(room);
        if (history.HasWaits || wasOpening)
            history.Changed();
    }

    /// <summary>Takes, holds or drops an envelope with positions.</summary>
    private void Follow(RoomBatch room, HistoryFollower follower, in HeldEnvelope envelope, long now)
    {
        var (before, items) = (envelope.Before, envelope.Items);
        switch (follower.Take(before, items.Length, out var known))
        {
            case FollowStep.TakePlain:
                SeePlain(room);
                foreach (var item in items)
                    Add(room, item, envelope.PublishedAt, now);
                break;
            case FollowStep.Take or FollowStep.Drop:
                if (known > 0)
                    room.Drop(known, MessageDrop.Known, metrics);
                for (var i = known; i < items.Length; i++)
                    Add(room, items[i], envelope.PublishedAt, now, before.Offset + i + 1);
                room.History!.Receive(follower.Received);
                if (items.Length == 0)
                    room.History.Delete(before);
                break;
            case FollowStep.Hold:
                Hold(room, follower, envelope);
                break;
            case FollowStep.Heal:
                Hold(room, follower, envelope);
                Read(room, follower, HistoryReadKind.Heal);
                break;
        }
    }

    private void Hold(RoomBatch room, HistoryFollower follower, in HeldEnvelope envelope)
    {
        if (!follower.TryHold(envelope))
            room.Drop(envelope.Items.Length, MessageDrop.HeldFull, metrics);
    }

    private void Read(RoomBatch room, HistoryFollower follower, HistoryReadKind kind, long? since = null)
    {
        var history = room.History!;
        // The JOINs that wait for it ask again.
        if (follower.Read is { Kind: HistoryReadKind.Older })
            history.ForgetOlder();
        if (kind == HistoryReadKind.Look || (kind == HistoryReadKind.Heal && follower.Phase is not FollowPhase.Healing))
            history.BeginHeal();
        var wait = TimeSpan.Zero;
        if (kind == HistoryReadKind.Look)
        {
            wait = follower.LookedAt is { } last ? clock.Until(last + clock.Window, clock.Now) : TimeSpan.Zero;
            follower.LookedAt = clock.Now;
        }

        var read = follower.BeginRead(kind, since ?? follower.Received);
        histories!.Reads.Begin(
            history.Room, history.Home, read, follower.Lineage is null || kind == HistoryReadKind.Look ? 0 : HistoryReads.PageSize, wait,
            () => follower.Read == read, answer => answered!(room, read, answer));
    }

    /// <summary>Takes what is missing from a page, then the next page, then what came meanwhile.</summary>
    private void TakePage(RoomBatch room, RoomHistory history, HistoryFollower follower, HistoryRead read, HistoryPage page, long now)
    {
        if (follower.Lineage is not { } known)
        {
            follower.Stand(page.Lineage, page.Last);
            history.Jump(page.Last, page.Lineage, page.Floor);
        }
        else
        {
            var place = page.Lineage.Locate(new Position(known.Epoch, follower.Received), page.Last, page.Floor);
            if (place.IsExact)
                history.Adopt(page.Lineage, page.Floor);
            else
                LoseHistory(room, history, new Position(known.Epoch, follower.Received), page, place.Start, now);
            follower.Stand(page.Lineage, place.Start);
        }

        if (follower.Received >= read.Since)
            TakeEntries(room, follower, page, now);
        history.Receive(follower.Received);
        // The next page, or what an epoch shares was read from too high an offset. ReadOn begins it.
        if (follower.Received < page.Last)
            return;
        follower.GoLive();
        history.EndHeal();
        TakeHeld(room, follower, read, now);
    }

    private void TakeEntries(RoomBatch room, HistoryFollower follower, HistoryPage page, long now)
    {
        foreach (var entry in page.Entries)
        {
            // It can only continue, or begin before: a page has no hole.
            var skip = (int)Math.Clamp(follower.Received - entry.First + 1, 0, entry.Items.Count);
            room.CountReceived(entry.Items.Count - skip, metrics);
            histories!.Metrics.Healed(entry.Items.Count - skip);
            for (var i = skip; i < entry.Items.Count; i++)
            {
                // All of a page leaves, also if a frame is under way: dropping what was missed once more would help nobody.
                if (room.IsFull(clock.Settings))
                    Flush(room, now);
                Add(room, entry.Items[i], entry.PublishedAt, now, entry.First + i);
            }

            follower.Advance(Math.Max(follower.Received, entry.Last));
        }
    }

    private void TakeHeld(RoomBatch room, HistoryFollower follower, HistoryRead read, long now)
    {
        foreach (var envelope in follower.TakeHeld())
        {
            // It was in hand before the read was sent, so its epoch is older than what was read, and dead.
            if (envelope.Before.Epoch != follower.Lineage!.Epoch && envelope.Reads < read.Number)
                room.Drop(envelope.Items.Length, MessageDrop.Known, metrics);
            else
                Follow(room, follower, envelope, now);
        }
    }

    /// <summary>Tells the members that what is between two positions cannot be brought back.</summary>
    private void LoseHistory(RoomBatch room, RoomHistory history, Position from, HistoryPage page, long start, long now)
    {
        while (room.IsOpen)
            Flush(room, now);
        var isSameNumbering = page.Lineage.SharedWith(from.Epoch) is not null;
        var place = new FramePlace(history.Jump(start, page.Lineage, page.Floor), from, new Position(page.Lineage.Epoch, start));
        histories!.Metrics.Gap(isSameNumbering ? HistoryGap.History : HistoryGap.Epoch);
        long? missed = isSameNumbering && start >= from.Offset ? start - from.Offset : null;
        shards.Dispatch(room.Members, room.Frames.Gap(missed, isSameNumbering ? GapReason.History : GapReason.Epoch, place));
    }

    /// <summary>Older messages for JOINs that wait: once they reach those of the ring, they go before them.</summary>
    private void TakeOlder(RoomBatch room, RoomHistory history, HistoryFollower follower, HistoryRead read, HistoryPage page)
    {
        // Redis has begun another epoch, and no envelope has told it yet. The JOINs ask again when it is read.
        if (page.Lineage.Epoch != follower.Lineage?.Epoch)
            follower.Miss();
        var since = read.Since;
        // Redis has dropped messages between two pages: what was read so far does not reach the rest.
        if (page.Floor > since)
            follower.Older.Clear();
        foreach (var entry in page.Entries)
        {
            for (var i = (int)Math.Clamp(since - entry.First + 1, 0, entry.Items.Count); i < entry.Items.Count; i++)
                follower.Older.Add(new RoomMessage(MessagePayload.TryReadJson(entry.Items[i], out var json) ? json : Null, entry.First + i));
            since = Math.Max(since, entry.Last);
        }

        if (history.Takes(page.Lineage, since, follower.Older) && page.Entries.Count > 0)
        {
            Read(room, follower, HistoryReadKind.Older, since);
            return;
        }

        history.Prepend(page.Lineage, page.Floor, follower.Older);
        follower.Older.Clear();
    }

    /// <summary>The home keeps no histories: the room goes on as one without.</summary>
    private void TurnOff(RoomBatch room, RoomHistory history, HistoryFollower follower, long now)
    {
        follower.TurnOff();
        history.TurnOff();
        foreach (var envelope in follower.TakeHeld())
            Follow(room, follower, envelope, now);
    }

    /// <summary>A batch leaves: it is remembered first, so that a client that enters finds it there or gets it.</summary>
    /// <returns>The batch; null if nobody is there to get it.</returns>
    private static Batch? Remember(RoomBatch room, RoomHistory history, IReadOnlyCollection<RoomMessage> messages)
    {
        var (sequence, epoch) = history.Append(messages);
        if (history.HasWaits)
            history.Changed();
        return room.Members.Count > 0 ? room.Frames.Push(messages, epoch, sequence) : null;
    }

    /// <summary>Which positions a loss inside the node has; null in a room that remembers nothing.</summary>
    private static FramePlace? PlaceOfLoss(RoomBatch room, long missedTo)
    {
        if (room.History is not { } history)
            return null;
        return history.Range?.End is { } end && missedTo > end.Offset
            ? new FramePlace(history.Jump(missedTo), end, end with { Offset = missedTo })
            : new FramePlace(history.Skip());
    }
}
