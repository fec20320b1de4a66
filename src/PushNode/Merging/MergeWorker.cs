using System.Collections.Concurrent;
using PushBackplane;
using PushBackplane.History;
using PushNode.FanOut;
using PushNode.History;
using PushNode.Telemetry;

namespace PushNode.Merging;

/// <summary>
/// A thread that runs one <see cref="Merger"/> over a bounded inbox. Backplane threads add payloads and never wait. A payload that does not
/// fit is dropped and counted, and a marker in the inbox takes its place. Owned by <see cref="MergeWorkers"/>; lives as long as the node.
/// </summary>
internal sealed class MergeWorker : IDisposable
{
    /// <summary>The number of entries handled before due batches and frames that have left get their turn.</summary>
    private const int Stride = 256;

    /// <summary>Counted for each payload in addition to its bytes, for the memory of its entry and array.</summary>
    private const int EntryBytes = 64;

    private readonly object _lock = new();
    private readonly ConcurrentQueue<RoomBatch> _endedFlights = new();
    private readonly Merger _merger;
    private readonly MergeClock _clock;
    private readonly NodeMetrics _metrics;
    private readonly TimeSpan _soon;
    private readonly Thread _thread;
    private List<Entry> _inbox = [];
    private List<Entry> _taken = [];
    private long _bytes;
    private bool _stopping;

    /// <summary>Whether the thread, if it waits, wakes within a step. Guarded by the lock.</summary>
    private bool _wakesSoon;

    public MergeWorker(int index, MergeClock clock, Shards shards, NodeMetrics metrics, Failures failures, Histories? histories)
    {
        _merger = new Merger(clock, shards, metrics, failures, EnqueueFrameLeft, EnqueueRead, histories);
        _clock = clock;
        _soon = clock.StepTime;
        _metrics = metrics;
        _thread = new Thread(Run) { Name = $"merge {index}", IsBackground = true };
        _thread.Start();
    }

    /// <summary>
    /// Adds a payload for a room; it must not change afterwards. Wakes the thread only if the payload needs it now: if the room's batch is
    /// open, the thread wakes when the batch is due, and a thread that was busy just now looks again soon, unless the inbox holds enough to fill the
    /// batch.
    /// </summary>
    public void Enqueue(RoomBatch room, ReadOnlyMemory<byte> payload)
    {
        var waiting = Interlocked.Add(ref _bytes, payload.Length + EntryBytes);
        if (waiting <= _clock.Settings.MaxInboxBytes && TryEnqueue(room, payload, waiting))
            return;

        Interlocked.Add(ref _bytes, -(payload.Length + EntryBytes));
        var messages = Envelope.TryDecode(payload, out _, out var items, out var before) ? items.Length : 1;
        _metrics.MessagesReceived(messages);
        _metrics.MessagesDropped(messages, MessageDrop.InboxFull);
        if (before is not null && room.History?.Follower is not null)
            EnqueueHealLoss(room);
        else if (messages > 0)
            EnqueueLoss(room, messages);
    }

    /// <summary>
    /// Reports that messages of the room were lost in an outage: a GAP goes out after the payloads added before and ahead of later ones.
    /// </summary>
    public void EnqueueGap(RoomBatch room) => Enqueue(new Entry(EntryKind.Gap, room));

    /// <summary>
    /// Reports that the room's home delivers, for the first time or again: what the room's history has and the node has not is read.
    /// </summary>
    public void EnqueueHeal(RoomBatch room) => Enqueue(new Entry(EntryKind.Heal, room));

    /// <summary>Reports that JOINs wait for a read of the room's history.</summary>
    public void EnqueueAsk(RoomBatch room) => Enqueue(new Entry(EntryKind.Ask, room));

    /// <summary>Completes when all payloads added before have been dispatched, due or not.</summary>
    public Task FlushAsync()
    {
        var flushed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Enqueue(new Entry(EntryKind.Flush, Extra: flushed));
        return flushed.Task;
    }

    /// <summary>Empties the inbox and ends the thread; does not flush open batches.</summary>
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
    /// <param name="waiting">The bytes in the inbox, including the payload.</param>
    /// <returns>
    /// False if the inbox has a loss marker of this room: until the thread reaches it, all the room's payloads are dropped, so that a room
    /// has one marker at a time.
    /// </returns>
    private bool TryEnqueue(RoomBatch room, ReadOnlyMemory<byte> payload, long waiting)
    {
        lock (_lock)
        {
            if (room.HasLossLocked)
                return false;
            _inbox.Add(new Entry(EntryKind.Payload, room, payload));
            // Checked under the lock: the thread closes a batch before it checks the inbox again and waits.
            if (!room.CanWait(waiting, _wakesSoon, _clock.Settings))
                Monitor.Pulse(_lock);
            return true;
        }
    }

    /// <summary>Marks the place of messages that did not fit.</summary>
    private void EnqueueLoss(RoomBatch room, int messages)
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

    /// <summary>Messages with positions did not fit: they are read again. The room has one such entry at a time.</summary>
    private void EnqueueHealLoss(RoomBatch room)
    {
        lock (_lock)
        {
            if (room.HasHealLossLocked)
                return;
            room.HasHealLossLocked = true;
            _inbox.Add(new Entry(EntryKind.HealLoss, room));
            Monitor.Pulse(_lock);
        }
    }

    private void EnqueueRead(RoomBatch room, HistoryRead read, HistoryAnswer answer) => Enqueue(new Entry(EntryKind.Read, room, Extra: (read, answer)));

    /// <summary>
    /// Reports that the room's frame has left all shards. Jumps ahead of queued payloads; otherwise this room's payloads could be dropped
    /// for a frame that is no longer under way. Wakes the thread only if a batch waits for the frame.
    /// </summary>
    private void EnqueueFrameLeft(RoomBatch room)
    {
        _endedFlights.Enqueue(room);
        lock (_lock)
        {
            if (room.IsHeld)
                Monitor.Pulse(_lock);
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
        var isBusy = false;
        while (TryTake(wait, isBusy))
        {
            isBusy = _taken.Count > 0;
            // Handled before the inbox, whose payloads could overfill a batch that waits for a frame which has already left.
            EndFlights();
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

    private void EndFlights()
    {
        while (_endedFlights.TryDequeue(out var room))
            _merger.EndFlight(room);
    }

    /// <returns>The time until the next batch or GAP is due, from now on; negative if it is due already. Null if none waits.</returns>
    private TimeSpan? FlushDue()
    {
        EndFlights();
        var now = _clock.Now;
        return _merger.FlushDue(now) is { } wait ? wait - _clock.Since(now) : null;
    }

    /// <summary>Waits until the inbox has an entry or the time is up, and takes all entries.</summary>
    /// <param name="wait">The time; null for any.</param>
    /// <param name="isBusy">Whether the inbox had an entry the last time.</param>
    /// <returns>False if the thread must end.</returns>
    private bool TryTake(TimeSpan? wait, bool isBusy)
    {
        lock (_lock)
        {
            // Rounded up: a thread that wakes before a batch is due would only wait again.
            if (_inbox.Count == 0 && _endedFlights.IsEmpty && !_stopping)
            {
                // More is probably on its way. If each payload woke the thread, many rooms would cost a wake-up for nearly each message.
                if (isBusy && _soon > TimeSpan.Zero && !(wait <= _soon))
                    wait = _soon;
                _wakesSoon = wait <= _soon;
                Monitor.Wait(_lock, wait is { } time ? Math.Max(0, (int)Math.Ceiling(time.TotalMilliseconds)) : Timeout.Infinite);
            }

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
                ((TaskCompletionSource)entry.Extra!).SetResult();
                break;
            case EntryKind.Heal:
                _merger.Heal(entry.Room!, _clock.Now);
                break;
            case EntryKind.HealLoss:
                lock (_lock)
                    entry.Room!.HasHealLossLocked = false;
                _merger.HealLoss(entry.Room, _clock.Now);
                break;
            case EntryKind.Ask:
                _merger.ReadOn(entry.Room!);
                break;
            case EntryKind.Read:
                var (read, answer) = ((HistoryRead, HistoryAnswer))entry.Extra!;
                _merger.OnRead(entry.Room!, read, answer, _clock.Now);
                break;
        }
    }

    private long TakeLoss(RoomBatch room)
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
        Heal,
        HealLoss,
        Ask,
        Read,
    }

    /// <param name="Kind">What happened.</param>
    /// <param name="Room">The room; null for all.</param>
    /// <param name="Payload">The payload.</param>
    /// <param name="Extra">The task to complete of a flush, or the read and its answer.</param>
    private readonly record struct Entry(EntryKind Kind, RoomBatch? Room = null, ReadOnlyMemory<byte> Payload = default, object? Extra = null);
}
