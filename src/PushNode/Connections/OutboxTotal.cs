using System.Threading.Channels;
using PushNode.Messages;

namespace PushNode.Connections;

/// <summary>
/// The memory that all outboxes of a node hold together: each distinct frame once, however many outboxes hold it, and each entry. Used only
/// when a frame enters or leaves an outbox. Any thread.
/// </summary>
/// <param name="limit">
/// The limit in bytes. Shedding begins above 7/8 of it (<see cref="WhenHighAsync"/>); at the limit no PUSH is queued.
/// </param>
internal sealed class OutboxTotal(long limit)
{
    /// <summary>The memory of an entry without its frame: a list node.</summary>
    public const int EntryBytes = 64;

    /// <summary>The memory of a frame without its bytes: two object headers and its fields.</summary>
    public const int FrameBytes = 64;

    private readonly long _high = limit - limit / 8;
    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(1);
    private long _bytes;
    private int _isSignalled;

    public long Bytes => Interlocked.Read(ref _bytes);

    public long Limit { get; } = limit;

    /// <summary>The level at which shedding stops.</summary>
    public long Low { get; } = limit - limit / 4;

    public bool IsFull => Bytes >= Limit;

    /// <summary>A frame has entered an outbox.</summary>
    public void Add(Frame frame)
    {
        var cost = EntryBytes + (frame.Hold() ? frame.Length + FrameBytes : 0);
        if (Interlocked.Add(ref _bytes, cost) > _high && Interlocked.Exchange(ref _isSignalled, 1) == 0)
            _signal.Writer.TryWrite(true);
    }

    /// <summary>A frame has left an outbox.</summary>
    public void Remove(Frame frame) => Interlocked.Add(ref _bytes, -(EntryBytes + (frame.Release() ? frame.Length + FrameBytes : 0)));

    /// <summary>
    /// A queued frame's share of the total: its entry, and its memory divided by the number of outboxes that hold it. All shares add up to
    /// the total.
    /// </summary>
    public static long Share(Frame frame) => EntryBytes + (frame.Length + FrameBytes) / Math.Max(1, frame.Holders);

    /// <summary>Completes when shedding must begin. One waiter at a time.</summary>
    public async Task WhenHighAsync(CancellationToken cancellationToken)
    {
        await _signal.Reader.ReadAsync(cancellationToken);
        Volatile.Write(ref _isSignalled, 0);
    }
}
