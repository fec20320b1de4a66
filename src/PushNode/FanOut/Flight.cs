using PushNode.Telemetry;

namespace PushNode.FanOut;

/// <summary>One batch on its way through the shards. The dispatch creates it and the last shard ends it; any thread.</summary>
internal sealed class Flight(int messages, DateTimeOffset? publishedAt, Action? left, NodeMetrics metrics, TimeProvider time)
{
    private long _startedAt;
    private int _shares = 1;
    private int _reached;

    /// <summary>One more shard has members for the batch. Called by the dispatch; its time begins with the first shard that gets a frame.</summary>
    public void Begin()
    {
        if (_shares == 1 && _startedAt == 0)
            _startedAt = time.GetTimestamp();
        Interlocked.Increment(ref _shares);
    }

    /// <summary>How long it has waited for its first turn in a shard.</summary>
    /// <param name="now">A time stamp.</param>
    public TimeSpan Waited(long now) => time.GetElapsedTime(_startedAt, now);

    /// <summary>A shard has tried its members, or the dispatch has ended.</summary>
    public void End(int membersTried = 0)
    {
        if (membersTried > 0)
            Volatile.Write(ref _reached, 1);
        if (Interlocked.Decrement(ref _shares) > 0)
            return;

        try
        {
            if (_reached != 0 && messages > 0)
                Measure();
        }
        finally
        {
            // Even if measuring throws: otherwise the room's next frame would wait forever.
            left?.Invoke();
        }
    }

    private void Measure()
    {
        metrics.FrameLeft(time.GetElapsedTime(_startedAt));
        if (publishedAt is { } clock)
            metrics.BatchPublished(time.GetUtcNow() - clock);
    }
}
