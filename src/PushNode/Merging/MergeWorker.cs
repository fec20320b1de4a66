using System.Collections.Concurrent;
using PushBackplane;
using PushNode.Telemetry;

namespace PushNode.Merging;

/// <summary>
/// A thread that runs one <see cref="Merger"/> over a bounded inbox. Backplane threads put payloads in and never wait; a payload that does not fit is dropped and
/// counted, and a marker in the inbox tells where it is missing. Owned by <see cref="MergeWorkers"/>; lives as long as the node.
/// </summary>
internal sealed class MergeWorker : IDisposable
{
    /// <summary>How many entries are handled before due batches and frames that have left get their turn.</summary>
    private const int Stride = 256;

    /// <summary>What a payload counts for beside its bytes, about what it costs in memory: even an empty one is an entry and an array.</summary>
    private const int EntryBytes = 64;

    private readonly object _lock = new();
    private readonly ConcurrentQueue<RoomMerge> _framesLeft = new();
    private readonly Merger _merger;
    private readonly MergeClock _clock;
    private readonly NodeMetrics _metrics;
    private readonly Thread _thread;
    private List<Entry> _inbox = [];
    private List<Entry> _taken = [];
    private long _bytes;
    private bool _stopping;

    public MergeWorker(int index, Merger merger, MergeClock clock, NodeMetrics metrics)
    {
        _merger = merger;
        _clock = clock;
        _metrics = metrics;
        _thread = new Thread(Run) { Name = $"merge {index}", IsBackground = true };
        _thread.Start();
    }

    /// <summary>
    /// A payload for a room. Wakes the thread only when it has something to do about it: a room whose batch is open has a due time at which the
    /// thread wakes anyway, unless so much waits that a batch may be full.
    /// </summary>
    public void Enqueue(RoomMerge room, ReadOnlyMemory<byte> payload)
    {
        var waiting = Interlocked.Add(ref _bytes, payload.Length + EntryBytes);
        if (waiting <= _clock.Settings.MaxInboxBytes && TryEnqueue(room, payload, waiting))
            return;

        Interlocked.Add(ref _bytes, -(payload.Length + EntryBytes));
        var messages = Envelope.TryDecode(payload, out _, out var items) ? items.Length : 1;
        _metrics.MessagesReceived(messages);
        _metrics.MessagesDropped(messages, MessageDrop.InboxFull);
        if (messages > 0)
            EnqueueLoss(room, messages);
    }

    /// <summary>
    /// The room's frame has left all shards. Passes the payloads that wait: what of them belongs to this room would be dropped for a frame that
    /// is gone. Wakes the thread only when a batch is held for it.
    /// </summary>
    public void EnqueueFrameLeft(RoomMerge room)
    {
        _framesLeft.Enqueue(room);
        lock (_lock)
        {
            if (room.IsHeld)
                Monitor.Pulse(_lock);
        }
    }

    /// <summary>Messages of the room were lost.</summary>
    public void EnqueueGap(RoomMerge room) => Enqueue(new Entry(EntryKind.Gap, room));

    /// <summary>Completes when everything received before has been dispatched, due or not.</summary>
    public Task FlushAsync()
    {
        var flushed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Enqueue(new Entry(EntryKind.Flush, Flushed: flushed));
        return flushed.Task;
    }

    /// <summary>Handles what is in the inbox and ends the thread; open batches are not flushed.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _stopping = true;
            Monitor.Pulse(_lock);
        }

        _thread.Join();
    }

    /// <param name="room">The payload's room.</param>
    /// <param name="payload">The payload.</param>
    /// <param name="waiting">The bytes in the inbox, its own included.</param>
    /// <returns>False when the room lost a payload whose marker is still in the inbox: until the thread reaches it, the room loses all payloads, so that it has one marker at a time.</returns>
    private bool TryEnqueue(RoomMerge room, ReadOnlyMemory<byte> payload, long waiting)
    {
        lock (_lock)
        {
            if (room.HasLossLocked)
                return false;
            _inbox.Add(new Entry(EntryKind.Payload, room, payload));
            // Asked under the lock: the thread closes a batch before it looks into the inbox again, and only then waits.
            if (!room.CanWait(waiting, _clock.Settings))
                Monitor.Pulse(_lock);
            return true;
        }
    }

    /// <summary>Messages of the room did not fit: marks the place where they are missing.</summary>
    private void EnqueueLoss(RoomMerge room, int messages)
    {
        lock (_lock)
        {
            if (!room.HasLossLocked)
            {
                _inbox.Add(new Entry(EntryKind.Loss, room));
                Monitor.Pulse(_lock);
            }

            room.AddLossLocked(messages);
        }
    }

    private void Enqueue(in Entry entry)
    {
        lock (_lock)
        {
            _inbox.Add(entry);
            Monitor.Pulse(_lock);
        }
    }

    private void Run()
    {
        TimeSpan? wait = null;
        while (TryTake(wait))
        {
            // First, since what waits in the inbox may fill batches that wait for a frame which has long left.
            PassFramesLeft();
            for (var i = 0; i < _taken.Count; i++)
            {
                Handle(_taken[i]);
                if (i % Stride == Stride - 1)
                    FlushDue();
            }

            _taken.Clear();
            wait = FlushDue();
        }
    }

    private void PassFramesLeft()
    {
        while (_framesLeft.TryDequeue(out var room))
            _merger.FrameLeft(room);
    }

    /// <inheritdoc cref="Merger.FlushDue"/>
    private TimeSpan? FlushDue()
    {
        PassFramesLeft();
        return _merger.FlushDue(_clock.Now);
    }

    /// <summary>Waits until something is in the inbox or the time is over, and takes all of it.</summary>
    /// <returns>False when the worker is to end.</returns>
    private bool TryTake(TimeSpan? wait)
    {
        lock (_lock)
        {
            // Rounded up: waking before a batch is due would only mean to wait again.
            if (_inbox.Count == 0 && _framesLeft.IsEmpty && !_stopping)
                Monitor.Wait(_lock, wait is { } time ? (int)Math.Ceiling(time.TotalMilliseconds) : Timeout.Infinite);
            (_inbox, _taken) = (_taken, _inbox);
            return _taken.Count > 0 || !_stopping;
        }
    }

    private void Handle(in Entry entry)
    {
        switch (entry.Kind)
        {
            case EntryKind.Payload:
                Interlocked.Add(ref _bytes, -(entry.Payload.Length + EntryBytes));
                _merger.Accept(entry.Room!, entry.Payload, _clock.Now);
                break;
            case EntryKind.Loss:
                _merger.Lose(entry.Room!, TakeLoss(entry.Room!), _clock.Now);
                break;
            case EntryKind.Gap:
                _merger.Gap(entry.Room!, _clock.Now);
                break;
            case EntryKind.Flush:
                _merger.FlushAll(_clock.Now);
                entry.Flushed!.SetResult();
                break;
        }
    }

    private long TakeLoss(RoomMerge room)
    {
        lock (_lock)
            return room.TakeLossLocked();
    }

    private enum EntryKind
    {
        Payload,
        Loss,
        Gap,
        Flush,
    }

    private readonly record struct Entry(EntryKind Kind, RoomMerge? Room = null, ReadOnlyMemory<byte> Payload = default, TaskCompletionSource? Flushed = null);
}
