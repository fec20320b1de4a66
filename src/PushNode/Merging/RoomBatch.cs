using PushNode.FanOut;
using PushNode.History;
using PushNode.Messages;
using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.Merging;

/// <summary>
/// One room's open batch and when it is due. A <see cref="Merger"/> fills and sends it on the thread of the room's merge worker; only
/// members marked otherwise may be used on other threads. Lives as long as the room.
/// </summary>
/// <param name="frames">Encodes for the room.</param>
/// <param name="members">The recipients of the room's frames.</param>
/// <param name="history">What the node remembers of the room; null for nothing.</param>
internal sealed class RoomBatch(RoomFrames frames, RoomMembers members, RoomHistory? history = null)
{
    private Segment _segment = new();

    /// <summary>The messages received after a loss, while those before it have not been sent; usually null.</summary>
    private Segment? _next;

    private int _bytes;
    private int _flights;
    private long _lost;
    private long? _lastFlush;

    /// <summary>Messages received and not yet merged or dropped: those that a failure loses.</summary>
    private int _owed;

    private int _lastMerged;
    private long _merged;
    private long _batches;

    /// <summary>Messages that have left in a batch since the room opened. Any thread.</summary>
    public long Merged => Volatile.Read(ref _merged);

    /// <summary>Batches that have left since the room opened. Any thread.</summary>
    public long Batches => Volatile.Read(ref _batches);

    /// <summary>The number of messages in the last batch; 0 before the first. Any thread.</summary>
    public int LastMerged => Volatile.Read(ref _lastMerged);

    /// <summary>Encodes for the room.</summary>
    public RoomFrames Frames { get; } = frames;

    /// <summary>Get the room's frames.</summary>
    public RoomMembers Members { get; } = members;

    /// <summary>What the node remembers of the room; null for nothing.</summary>
    public RoomHistory? History { get; } = history;

    /// <summary>The messages to send next, with the loss before them.</summary>
    public Segment Segment => _segment;

    /// <summary>When the open batch is due, as a time stamp; meaningless if <see cref="IsOpen"/> is false.</summary>
    public long Due { get; private set; }

    /// <summary>When to tell the members about messages lost in an outage, as a time stamp; null if there is nothing to tell.</summary>
    public long? LossDue { get; set; }

    /// <summary>Called when a frame of the room has left all shards; made for the first one.</summary>
    public Action? FrameLeft { get; set; }

    /// <summary>Whether there is something to send, which may be only a GAP.</summary>
    public bool IsOpen => !_segment.IsEmpty;

    /// <summary>The open batch is due but the previous frame is still under way. Any thread reads it under the worker's lock.</summary>
    public bool IsHeld { get; set; }

    /// <summary>Whether a shard has yet to push the room's previous frame; the next one waits for it.</summary>
    public bool IsFrameUnderWay => _flights > 0;

    /// <summary>Whether the inbox has a marker for lost messages of this room. Any thread, under the worker's lock.</summary>
    public bool HasLossLocked => _lost > 0;

    /// <summary>Whether the inbox has a marker for messages that have to be read again. Any thread, under the worker's lock.</summary>
    public bool HasHealLossLocked { get; set; }

    /// <summary>Whether the open batch is large enough to be due at once.</summary>
    public bool IsFull(MergeSettings settings) => _bytes >= settings.MaxBatchBytes;

    /// <summary>
    /// Whether a payload may wait in the inbox until the worker wakes by itself, because it cannot fill a batch: when the open batch is due, or
    /// soon. Any thread, under the worker's lock.
    /// </summary>
    /// <param name="waiting">The bytes in the inbox, including the payload.</param>
    /// <param name="wakesSoon">Whether it wakes soon in any case.</param>
    /// <param name="settings">Gives the size of a full batch.</param>
    public bool CanWait(long waiting, bool wakesSoon, MergeSettings settings) => (IsOpen || wakesSoon) && _bytes + waiting < settings.MaxBatchBytes;

    /// <summary>Counts messages that did not fit into the inbox. Any thread, under the worker's lock.</summary>
    public void AddLossLocked(int messages) => _lost += messages;

    /// <summary>The worker has reached the inbox's marker. Under the worker's lock.</summary>
    /// <returns>The number of messages that did not fit since the marker was set.</returns>
    public long TakeLossLocked()
    {
        var lost = _lost;
        _lost = 0;
        return lost;
    }

    /// <summary>Counts messages as received; each is later merged or dropped.</summary>
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

    /// <summary>Adds one message, and opens the batch if it is the first.</summary>
    /// <returns>Whether <see cref="Due"/> has changed.</returns>
    public bool Add(RoomMessage message, DateTimeOffset? publishedAt, long now, MergeClock clock, NodeMetrics metrics)
    {
        var wasOpen = IsOpen;
        var due = Due;
        if (!wasOpen)
        {
            due = now + clock.Gather();
            if (_lastFlush is { } last)
                due = Math.Max(due, last + clock.Window);
        }

        (_next ?? _segment).Add(message, publishedAt);
        _bytes += message.Json.Length + 1;
        if (IsFull(clock.Settings))
            due = Math.Min(due, now);
        DropExcess(clock.Settings, metrics);

        var changed = !wasOpen || due != Due;
        Due = due;
        return changed;
    }

    /// <summary>
    /// Messages were lost after those received so far, which are now complete and due at once. If these must wait for the previous frame,
    /// later messages wait in a separate segment, so that the GAP comes between.
    /// </summary>
    public void Lose(long messages, long now, NodeMetrics metrics)
    {
        if (_next is { } next)
        {
            // There is one loss at a time: messages between two losses become part of it.
            _bytes -= next.Bytes;
            Drop(next.DropAll(), MessageDrop.BatchFull, metrics);
        }
        else if (_segment.Count > 0)
        {
            _next = new Segment();
        }

        (_next ?? _segment).Miss(messages);
        Due = now;
    }

    /// <summary>A frame of the room begins its way over the shards.</summary>
    public void BeginFlight() => _flights++;

    /// <summary>A frame has left all shards.</summary>
    public void EndFlight() => _flights--;

    /// <summary>Counts as merged the messages that have been sent, or all messages if there is no member to send them to.</summary>
    /// <returns>True if the messages after a loss have become the open batch, and <see cref="Due"/> has changed.</returns>
    public bool Advance(bool hasMembers, long now, MergeClock clock, NodeMetrics metrics)
    {
        var merged = _segment.Count + (hasMembers ? 0 : _next?.Count ?? 0);
        if (merged > 0)
        {
            _owed -= merged;
            _lastFlush = now;
            CountMerged(merged);
            metrics.BatchMerged(merged);
        }

        if (!hasMembers || _next is not { } next)
        {
            Clear();
            return false;
        }

        _bytes -= _segment.Bytes;
        (_segment, _next) = (next, null);
        Due = next.Count == 0 || IsFull(clock.Settings) ? now : now + clock.Window;
        return true;
    }

    /// <summary>
    /// Handling the room threw: drops all waiting messages. The GAP is due one window later, so a room that always fails sends one GAP per
    /// window.
    /// </summary>
    /// <returns>The number of messages dropped.</returns>
    public int Fail(long now, MergeClock clock, NodeMetrics metrics)
    {
        var dropped = _owed;
        var missed = dropped + _segment.Missed + (_next?.Missed ?? 0);
        Drop(dropped, MessageDrop.Failed, metrics);
        Clear();
        if (Members.Count > 0)
            _segment.Miss(missed, GapReason.Failed, History?.Follower?.Received ?? 0);
        Due = now + clock.Window;
        return dropped;
    }

    /// <summary>Counts for the node's page, on the worker's thread only: two plain additions per batch.</summary>
    private void CountMerged(int messages)
    {
        Volatile.Write(ref _lastMerged, messages);
        Volatile.Write(ref _merged, _merged + messages);
        Volatile.Write(ref _batches, _batches + 1);
    }

    private void Clear()
    {
        _segment.Clear();
        _next = null;
        _bytes = 0;
    }

    private void DropExcess(MergeSettings settings, NodeMetrics metrics)
    {
        var dropped = 0;
        while (_bytes > settings.MaxWaitingBytes)
        {
            var before = _segment.Bytes;
            _segment.DropOldest();
            _bytes += _segment.Bytes - before;
            dropped++;
            if (_segment.Count == 0 && _next is { } next)
            {
                next.Miss(_segment.Missed, _segment.Reason, _segment.MissedTo);
                (_segment, _next) = (next, null);
            }
        }

        if (dropped > 0)
            Drop(dropped, MessageDrop.BatchFull, metrics);
    }
}
