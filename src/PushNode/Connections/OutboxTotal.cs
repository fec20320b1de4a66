using System.Threading.Channels;
using PushNode.Messages;

namespace PushNode.Connections;

/// <summary>
/// What waits in all outboxes of a node together: each distinct frame once, however many wait for it, and each entry's own bytes. Touched only when a frame is queued or leaves a queue. Any thread.
/// </summary>
/// <param name="limit">How much there may be. Above 7/8 of it shedding begins (<see cref="WhenHighAsync"/>), and at the limit no PUSH is queued.</param>
internal sealed class OutboxTotal(long limit)
{
    /// <summary>What an entry costs in memory beside its frame: a list node.</summary>
    public const int EntryBytes = 64;

    /// <summary>What a frame costs in memory beside its bytes: two object headers and its fields.</summary>
    public const int FrameBytes = 64;

    private readonly long _high = limit - limit / 8;
    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(1);
    private long _bytes;
    private int _isSignalled;

    public long Bytes => Interlocked.Read(ref _bytes);

    public long Limit { get; } = limit;

    /// <summary>Where shedding may stop.</summary>
    public long Low { get; } = limit - limit / 4;

    public bool IsFull => Bytes >= Limit;

    /// <summary>A frame was queued.</summary>
    public void Add(Frame frame)
    {
        var cost = EntryBytes + (frame.Hold() ? frame.Length + FrameBytes : 0);
        if (Interlocked.Add(ref _bytes, cost) > _high && Interlocked.Exchange(ref _isSignalled, 1) == 0)
            _signal.Writer.TryWrite(true);
    }

    /// <summary>A frame has left a queue.</summary>
    public void Remove(Frame frame) => Interlocked.Add(ref _bytes, -(EntryBytes + (frame.Release() ? frame.Length + FrameBytes : 0)));

    /// <summary>A queued frame's part of the total: its entry, and its bytes divided by the number of queues that hold it. All parts add up to the total.</summary>
    public static long Share(Frame frame) => EntryBytes + (frame.Length + FrameBytes) / Math.Max(1, frame.Holders);

    /// <summary>Waits until so much is held that shedding must begin. One waiter.</summary>
    public async Task WhenHighAsync(CancellationToken cancellationToken)
    {
        await _signal.Reader.ReadAsync(cancellationToken);
        Volatile.Write(ref _isSignalled, 0);
    }
}
