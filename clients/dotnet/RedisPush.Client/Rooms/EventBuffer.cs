namespace RedisPush.Client.Rooms;

/// <summary>
/// What waits for the reader of one subscription, bounded by count and bytes. When it is full, the oldest events give way, and the reader
/// gets one gap in their place that counts them. Filled by the connection's thread, emptied by one reader; any thread may complete it.
/// </summary>
internal sealed class EventBuffer(int maxEvents, long maxBytes)
{
    private readonly Lock _lock = new();
    private readonly Queue<PushEvent> _events = new();
    private long _bytes;
    private bool _lost;
    private long? _missed;
    private PushPosition? _lostTo;
    private PushPosition? _position;
    private bool _completed;
    private Exception? _failure;
    private TaskCompletionSource? _waiting;

    /// <summary>Where the reader is: behind the last event that it took.</summary>
    public PushPosition? Position
    {
        get
        {
            lock (_lock)
                return _position;
        }
    }

    /// <summary>The reader is here, if it is nowhere yet.</summary>
    public void Begin(PushPosition? position)
    {
        lock (_lock)
            _position ??= position;
    }

    public void Add(PushEvent added)
    {
        lock (_lock)
        {
            if (_completed)
                return;
            _events.Enqueue(added);
            _bytes += added.Size;
            while (_events.Count > maxEvents || _bytes > maxBytes)
                DropOldestLocked();
            WakeLocked();
        }
    }

    /// <summary>Nothing more comes.</summary>
    /// <param name="failure">What the reader gets after the events that are still here; null for a plain end.</param>
    public void Complete(Exception? failure)
    {
        lock (_lock)
        {
            if (_completed)
                return;
            (_completed, _failure) = (true, failure);
            WakeLocked();
        }
    }

    /// <summary>Nothing more comes, and what is here goes: the subscription is disposed.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _events.Clear();
            (_bytes, _lost, _completed, _failure) = (0, false, true, null);
            WakeLocked();
        }
    }

    /// <summary>The next event; null at the end.</summary>
    /// <exception cref="RedisPushException">The failure that the buffer was completed with.</exception>
    public async ValueTask<PushEvent?> TakeAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task waiting;
            lock (_lock)
            {
                if (TakeLocked() is { } taken)
                    return taken;
                if (_failure is not null)
                    throw _failure;
                if (_completed)
                    return null;
                _waiting ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                waiting = _waiting.Task;
            }

            await waiting.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private PushEvent? TakeLocked()
    {
        if (_lost)
        {
            var gap = new PushGap(_missed, GapReason.Reader, _lostTo is null ? null : _position, _lostTo);
            _position = _lostTo ?? _position;
            (_lost, _lostTo) = (false, null);
            return gap;
        }

        if (!_events.TryDequeue(out var taken))
            return null;
        _bytes -= taken.Size;
        _position = taken.After ?? _position;
        return taken;
    }

    /// <summary>A gap that is dropped adds its number; if its size is unknown, so is that of the gap that is told.</summary>
    private void DropOldestLocked()
    {
        var dropped = _events.Dequeue();
        _bytes -= dropped.Size;
        if (dropped is PushOnline or PushJoined)
            return; // The subscription has the latest number, and a reader misses no message.
        _lostTo = dropped.After ?? _lostTo;
        var missed = dropped is PushGap gap ? gap.Missed : 1;
        // The sum of numbers that a hostile server made up may not fit.
        _missed = !_lost ? missed : missed > long.MaxValue - _missed ? null : _missed + missed;
        _lost = true;
    }

    private void WakeLocked()
    {
        _waiting?.TrySetResult();
        _waiting = null;
    }
}
