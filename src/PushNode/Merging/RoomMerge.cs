using PushNode.FanOut;
using PushNode.Messages;
using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.Merging;

/// <summary>
/// The open batch of one room and the rules for when it leaves. <see cref="Receive"/> and <see cref="TellGap"/> may be called by any thread and only enqueue; what is not marked otherwise
/// is touched by the room's merge worker alone. Lives as long as the room.
/// </summary>
/// <param name="worker">The merge worker that owns the room.</param>
/// <param name="frames">Encodes for the room.</param>
/// <param name="members">Who gets the room's frames.</param>
internal sealed class RoomMerge(MergeWorker worker, RoomFrames frames, RoomMembers members)
{
    private Batch _batch = new();

    /// <summary>What was received behind messages that were lost, while what was received before them has not left; null nearly always.</summary>
    private Batch? _next;

    private int _bytes;
    private int _flights;
    private Action? _left;
    private long _lost;
    private long? _lastFlush;

    /// <summary>Messages received that are neither merged nor dropped yet: what a failure costs.</summary>
    private int _owed;

    /// <summary>Messages of the frame that is being dispatched.</summary>
    private int _leaving;

    /// <summary>When the open batch is due, as a time stamp; meaningless while <see cref="IsOpen"/> is false.</summary>
    public long Due { get; private set; }

    /// <summary>When members are to be told that messages were lost in an outage, as a time stamp; null when there is nothing to tell.</summary>
    public long? LossDue { get; set; }

    /// <summary>Whether there is something to send, a GAP included.</summary>
    public bool IsOpen => !_batch.IsEmpty;

    /// <summary>Whether a payload may wait in the inbox until the open batch is due, which it may not fill. By any thread under the worker's lock.</summary>
    /// <param name="waiting">The bytes in the inbox, its own included.</param>
    /// <param name="settings">Say when a batch is full.</param>
    public bool CanWait(long waiting, MergeSettings settings) => IsOpen && _bytes + waiting < settings.MaxBatchBytes;

    /// <summary>The open batch is due but the previous frame is still on its way. Read by any thread under the worker's lock.</summary>
    public bool IsHeld { get; set; }

    /// <summary>Whether the open batch is large enough to be due at once.</summary>
    public bool IsFull(MergeSettings settings) => _bytes >= settings.MaxBatchBytes;

    /// <summary>A payload from the backplane. The memory must not change afterwards.</summary>
    public void Receive(ReadOnlyMemory<byte> payload) => worker.Enqueue(this, payload);

    /// <summary>Messages of the room were lost while the backplane was away: the GAP goes out after what came before and before what comes now.</summary>
    public void TellGap() => worker.EnqueueGap(this);

    /// <summary>Whether the inbox has a marker for messages of this room that did not fit. Under the worker's lock.</summary>
    public bool HasLossLocked => _lost > 0;

    /// <summary>Messages did not fit into the inbox. Under the worker's lock, by any thread.</summary>
    public void AddLossLocked(int messages) => _lost += messages;

    /// <summary>The inbox's marker is reached. Under the worker's lock.</summary>
    /// <returns>How many messages did not fit since it was set.</returns>
    public long TakeLossLocked()
    {
        var lost = _lost;
        _lost = 0;
        return lost;
    }

    /// <summary>Counts messages as received; each is then merged, dropped or failed.</summary>
    public void CountReceived(int messages, NodeMetrics metrics)
    {
        _owed += messages;
        metrics.MessagesReceived(messages);
    }

    /// <summary>Counts received messages as dropped.</summary>
    public void Drop(int messages, MessageDrop reason, NodeMetrics metrics)
    {
        _owed -= messages;
        metrics.MessagesDropped(messages, reason);
    }

    /// <summary>Adds one message; opens the batch when it is the first.</summary>
    /// <returns>Whether <see cref="Due"/> has changed.</returns>
    public bool Add(ReadOnlyMemory<byte> json, DateTimeOffset? publishedAt, long now, MergeClock clock, NodeMetrics metrics)
    {
        var wasOpen = IsOpen;
        var due = Due;
        if (!wasOpen)
        {
            due = now + clock.Gather();
            if (_lastFlush is { } last)
                due = Math.Max(due, last + clock.Window);
        }

        (_next ?? _batch).Add(json, publishedAt);
        _bytes += json.Length + 1;
        if (IsFull(clock.Settings))
            due = Math.Min(due, now);
        DropWhatIsTooMuch(clock.Settings, metrics);

        var changed = !wasOpen || due != Due;
        Due = due;
        return changed;
    }

    /// <summary>
    /// Messages are missing behind all that was received. What was received before them is complete and due at once; if it has to wait for the previous frame, what is received
    /// behind them waits by itself, so that the GAP stands between.
    /// </summary>
    public void Lose(long messages, long now, NodeMetrics metrics)
    {
        if (_next is { } next)
        {
            // One hole at a time: what lies between two becomes part of it.
            _bytes -= next.Bytes;
            Drop(next.DropAll(), MessageDrop.BatchFull, metrics);
        }
        else if (_batch.Count > 0)
        {
            _next = new Batch();
        }

        (_next ?? _batch).Miss(messages);
        Due = now;
    }

    /// <summary>Whether some shard has yet to push the room's previous frame; the next one waits for it.</summary>
    public bool IsFrameOnItsWay => _flights > 0;

    /// <summary>Sends the batch on its way as one frame. What was received behind a loss becomes the open batch.</summary>
    /// <returns>Whether the room is open again, and <see cref="Due"/> has changed.</returns>
    public bool Flush(long now, MergeClock clock, Shards shards, NodeMetrics metrics)
    {
        TellLoss(shards);
        // A room that lingers has a subscription but nobody to encode for, or to tell what was missed.
        var hasMembers = members.Count > 0;
        if (hasMembers)
            Send(shards, metrics);
        else
            Merge(_batch.Count + (_next?.Count ?? 0), metrics);

        if (_leaving > 0)
            _lastFlush = now;
        _leaving = 0;
        if (!hasMembers || _next is not { } next)
        {
            Empty();
            return false;
        }

        _bytes -= _batch.Bytes;
        (_batch, _next) = (next, null);
        Due = next.Count == 0 || IsFull(clock.Settings) ? now : now + clock.Window;
        return true;
    }

    /// <summary>Sends a GAP of unknown size, if there is something to tell.</summary>
    public void TellLoss(Shards shards)
    {
        if (LossDue is null)
            return;
        LossDue = null;
        shards.Dispatch(members, frames.Gap(null, GapReason.Backplane).For(Variant.Json));
    }

    /// <summary>A frame has left all shards.</summary>
    public void OnFrameLeft() => _flights--;

    /// <summary>Handling the room threw: all that waits is lost. Its GAP goes out a window later, so a room that keeps failing fails once a window.</summary>
    /// <returns>How many messages were dropped.</returns>
    public int Fail(long now, MergeClock clock, NodeMetrics metrics)
    {
        var dropped = _owed;
        var missed = dropped + _leaving + _batch.Missed + (_next?.Missed ?? 0);
        Drop(dropped, MessageDrop.Failed, metrics);
        _leaving = 0;
        Empty();
        if (members.Count > 0)
            _batch.Miss(missed, GapReason.Failed);
        Due = now + clock.Window;
        return dropped;
    }

    private void Send(Shards shards, NodeMetrics metrics)
    {
        if (_batch.Missed > 0)
            shards.Dispatch(members, frames.Gap(_batch.Missed, _batch.Reason).For(Variant.Json));
        _batch.MissNothing();
        if (_batch.Count == 0)
            return;
        var frame = frames.Push(_batch.Messages).For(Variant.Json);
        Merge(_batch.Count, metrics);
        _flights++;
        shards.Dispatch(members, frame, _batch.PublishedAt, _left ??= () => worker.EnqueueFrameLeft(this));
    }

    private void Merge(int messages, NodeMetrics metrics)
    {
        if (messages == 0)
            return;
        _owed -= messages;
        _leaving = messages;
        metrics.BatchMerged(messages);
    }

    private void Empty()
    {
        _batch.Clear();
        _next = null;
        _bytes = 0;
    }

    private void DropWhatIsTooMuch(MergeSettings settings, NodeMetrics metrics)
    {
        var dropped = 0;
        while (_bytes > settings.MaxWaitingBytes)
        {
            var before = _batch.Bytes;
            _batch.DropOldest();
            _bytes += _batch.Bytes - before;
            dropped++;
            if (_batch.Count == 0 && _next is { } next)
            {
                next.Miss(_batch.Missed, _batch.Reason);
                (_batch, _next) = (next, null);
            }
        }

        if (dropped > 0)
            Drop(dropped, MessageDrop.BatchFull, metrics);
    }
}
