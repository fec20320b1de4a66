using System.Threading.Channels;
using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.Hooks;

/// <summary>
/// The events that wait for the receiver, in order, at most as many and as large as settings allow; the rest is dropped and counted. Any
/// thread adds, without waiting; <see cref="HookDelivery"/> takes. Lives as long as the node.
/// </summary>
internal sealed class HookQueue
{
    /// <summary>Beside its events, a batch holds at most this much of messages, or one message.</summary>
    private const int MaxBatchBytes = 256 * 1024;

    private readonly HookSettings _settings;
    private readonly HookMetrics _metrics;
    private readonly Channel<HookEvent> _events;
    private bool _isComplete;
    private long _bytes;
    private long _dropped;

    public HookQueue(HookSettings settings, HookMetrics metrics)
    {
        (_settings, _metrics) = (settings, metrics);
        _events = Channel.CreateBounded<HookEvent>(new BoundedChannelOptions(settings.MaxWaiting) { SingleReader = true });
        metrics.Show(() => _events.Reader.Count);
    }

    /// <summary>Adds an event, or drops it.</summary>
    public void Add(in HookEvent happened)
    {
        var size = happened.Message.Length;
        if (Interlocked.Add(ref _bytes, size) <= _settings.MaxWaitingBytes && _events.Writer.TryWrite(happened))
            return;
        Interlocked.Add(ref _bytes, -size);
        Drop(1, Volatile.Read(ref _isComplete) ? HookDrop.Shutdown : HookDrop.QueueFull);
    }

    /// <summary>Events are dropped.</summary>
    public void Drop(int events, HookDrop reason)
    {
        Interlocked.Add(ref _dropped, events);
        _metrics.Dropped(events, reason);
    }

    /// <summary>The number of events that were dropped since the last call, for the receiver.</summary>
    public long TakeDropped() => Interlocked.Exchange(ref _dropped, 0);

    /// <summary>The receiver was not told of these after all.</summary>
    public void PutBackDropped(long events) => Interlocked.Add(ref _dropped, events);

    /// <summary>Waits for an event. False if no more will come.</summary>
    public ValueTask<bool> WaitAsync() => _events.Reader.WaitToReadAsync();

    /// <summary>Takes the events of one batch; none if none waits.</summary>
    public List<HookEvent> Take()
    {
        var batch = new List<HookEvent>();
        var size = 0L;
        while (batch.Count < _settings.MaxBatch && _events.Reader.TryPeek(out var next) && (batch.Count == 0 || size + next.Message.Length <= MaxBatchBytes))
        {
            _events.Reader.TryRead(out _);
            batch.Add(next);
            size += next.Message.Length;
        }
        Interlocked.Add(ref _bytes, -size);
        return batch;
    }

    /// <summary>Accepts no more events: what is added later is dropped.</summary>
    public void Complete()
    {
        Volatile.Write(ref _isComplete, true);
        _events.Writer.TryComplete();
    }
}
