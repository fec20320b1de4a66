namespace PushNode.FanOut;

/// <summary>
/// The frames that wait for one shard's thread, which tries them in turns. A set's frames stand in a line, and only the first of them is in the
/// queue: so a frame that needs several turns delays those of other rooms by one turn, and the next one of its own room until it is done. The merge
/// stage bounds the queue: at most one frame per room is under way, except during a flush. Any thread adds; one takes.
/// </summary>
internal sealed class ShardQueue
{
    private readonly object _lock = new();

    /// <summary>The periods that somebody waits for, the oldest first.</summary>
    private readonly Queue<Period> _closed = new();

    private Period _period = new();
    private List<Share> _waiting = [];
    private bool _isStopping;

    /// <summary>Whether a frame waits. Approximate while others add.</summary>
    public bool HasWaiting => Volatile.Read(ref _waiting).Count > 0;

    /// <summary>Adds a frame behind all that its set has, or at the end of the queue.</summary>
    public void Add(Share share)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isStopping, this);
            share.Queued = _period;
            _period.Open++;
            var last = share.Members.LastQueued;
            share.Members.LastQueued = share;
            if (last is null)
                AddLocked(share);
            else
                last.Next = share;
        }
    }

    /// <summary>Adds a frame again whose turn is over, at the end of the queue.</summary>
    public void Return(Share share)
    {
        lock (_lock)
            AddLocked(share);
    }

    /// <summary>Frames are done. The next one of each set goes to the end of the queue.</summary>
    public void End(List<Share> shares)
    {
        lock (_lock)
        {
            foreach (var share in shares)
            {
                if (share.Next is { } next)
                    AddLocked(next);
                else
                    share.Members.LastQueued = null;
                share.Queued!.Open--;
            }

            while (_closed.TryPeek(out var oldest) && oldest.Open == 0)
                _closed.Dequeue().Passed!.SetResult();
        }
    }

    /// <summary>Completes when everything added before is done.</summary>
    public Task WhenPassed()
    {
        lock (_lock)
        {
            if (_closed.Count == 0 && _period.Open == 0)
                return Task.CompletedTask;
            var closed = _period;
            closed.Passed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _closed.Enqueue(closed);
            _period = new Period();
            return closed.Passed.Task;
        }
    }

    /// <summary>Waits until a frame is there, and takes all.</summary>
    /// <param name="turns">Empty; receives the frames.</param>
    /// <returns>False if the thread must end.</returns>
    public bool TryTake(ref List<Share> turns)
    {
        lock (_lock)
        {
            while (_waiting.Count == 0 && !_isStopping)
                Monitor.Wait(_lock);
            (_waiting, turns) = (turns, _waiting);
            return turns.Count > 0;
        }
    }

    /// <summary>Lets the thread end when everything is done. Nothing may be added any more.</summary>
    public void Stop()
    {
        lock (_lock)
        {
            _isStopping = true;
            Monitor.Pulse(_lock);
        }
    }

    private void AddLocked(Share share)
    {
        _waiting.Add(share);
        if (_waiting.Count == 1)
            Monitor.Pulse(_lock);
    }
}

/// <summary>The frames that were queued between two calls of <see cref="ShardQueue.WhenPassed"/>. Guarded by the queue's lock.</summary>
internal sealed class Period
{
    /// <summary>The number of its frames that are not done.</summary>
    public int Open { get; set; }

    /// <summary>Completes when it and all earlier periods are done; null until somebody waits.</summary>
    public TaskCompletionSource? Passed { get; set; }
}
