using PushNode.FanOut;
using PushNode.Framing;
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
    private readonly Queue<ReadOnlyMemory<byte>> _batch = new();
    private int _bytes;
    private int _flights;
    private Action? _left;
    private long _missed;
    private long? _lastFlush;
    private DateTimeOffset? _publishedAt;

    /// <summary>When the open batch is due, as a time stamp; meaningless while <see cref="IsOpen"/> is false.</summary>
    public long Due { get; private set; }

    /// <summary>When members are to be told that messages were lost in an outage, as a time stamp; null when there is nothing to tell.</summary>
    public long? LossDue { get; set; }

    public bool IsOpen => _batch.Count > 0;

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

    /// <summary>Messages of the room were lost while the backplane was away: members are told, after what came before and before what comes now.</summary>
    public void TellGap() => worker.EnqueueGap(this);

    /// <summary>Messages that never reached the batch, because the inbox was full; told with the next frame.</summary>
    public void Miss(int messages) => Interlocked.Add(ref _missed, messages);

    /// <summary>Adds one message; opens the batch when it is the first.</summary>
    /// <returns>Whether <see cref="Due"/> has changed.</returns>
    public bool Add(ReadOnlyMemory<byte> json, DateTimeOffset? publishedAt, long now, MergeClock clock, NodeMetrics metrics)
    {
        var due = Due;
        if (!IsOpen)
        {
            _publishedAt = null;
            due = now + clock.Gather();
            if (_lastFlush is { } last)
                due = Math.Max(due, last + clock.Window);
        }

        _batch.Enqueue(json);
        _bytes += json.Length + 1;
        _publishedAt = publishedAt < _publishedAt ? publishedAt : _publishedAt ?? publishedAt;
        if (IsFull(clock.Settings))
            due = Math.Min(due, now);
        DropWhatIsTooMuch(clock.Settings, metrics);

        var changed = _batch.Count == 1 || due != Due;
        Due = due;
        return changed;
    }

    /// <summary>Whether some shard has yet to push the room's previous frame; the next one waits for it.</summary>
    public bool IsFrameOnItsWay => _flights > 0;

    /// <summary>Sends the batch on its way as one frame.</summary>
    public void Flush(long now, Shards shards, NodeMetrics metrics)
    {
        TellLoss(shards);
        metrics.BatchMerged(_batch.Count);
        _lastFlush = now;
        var missed = Interlocked.Exchange(ref _missed, 0);
        // A room that lingers has a subscription but nobody to encode for, or to tell what was missed.
        if (members.Count > 0)
        {
            if (missed > 0)
                shards.Dispatch(members, frames.Gap(missed, GapReason.Overload));
            _flights++;
            shards.Dispatch(members, frames.Push(_batch), _publishedAt, _left ??= () => worker.EnqueueFrameLeft(this));
        }

        _batch.Clear();
        _bytes = 0;
    }

    /// <summary>Sends a GAP of unknown size, if there is something to tell.</summary>
    public void TellLoss(Shards shards)
    {
        if (LossDue is null)
            return;
        LossDue = null;
        shards.Dispatch(members, frames.Gap(null, GapReason.Backplane));
    }

    /// <summary>A frame has left all shards.</summary>
    public void OnFrameLeft() => _flights--;

    private void DropWhatIsTooMuch(MergeSettings settings, NodeMetrics metrics)
    {
        var dropped = 0;
        while (_bytes > settings.MaxWaitingBytes)
        {
            _bytes -= _batch.Dequeue().Length + 1;
            dropped++;
        }

        if (dropped == 0)
            return;
        metrics.MessagesDropped(dropped, MessageDrop.BatchFull);
        Miss(dropped);
    }
}
