namespace PushNode.Messages;

/// <summary>
/// The exact bytes that a connection writes to its socket, header included. Encoded once and shared by all connections that send it; any
/// thread. Immutable except for the count of outboxes that hold it.
/// </summary>
/// <param name="bytes">Header and payload.</param>
/// <param name="deliveries">The number of messages in a PUSH; 0 for every other frame.</param>
/// <param name="loss">
/// The number of messages that a client loses if this frame is dropped: those in it, or those that a GAP reports; null if unknown.
/// </param>
/// <param name="place">Where it stands in a room that remembers its messages; null for every other frame.</param>
internal sealed class Frame(byte[] bytes, int deliveries = 0, long? loss = 0, FramePlace? place = null)
{
    private int _holders;

    public ReadOnlyMemory<byte> Bytes => bytes;

    public int Length => bytes.Length;

    /// <summary>The number of messages in a PUSH; 0 for every other frame.</summary>
    public int Deliveries { get; } = deliveries;

    /// <summary>The number of messages that a client loses if this frame is dropped; null if unknown.</summary>
    public long? Loss { get; } = loss;

    /// <summary>Where it stands in a room that remembers its messages; null for every other frame.</summary>
    public FramePlace? Place { get; } = place;

    /// <summary>The number of outboxes that hold it.</summary>
    public int Holders => Volatile.Read(ref _holders);

    /// <summary>Counts one more outbox.</summary>
    /// <returns>True if it is the only one.</returns>
    public bool Hold() => Interlocked.Increment(ref _holders) == 1;

    /// <summary>Counts one outbox fewer.</summary>
    /// <returns>True if it was the last one.</returns>
    public bool Release() => Interlocked.Decrement(ref _holders) == 0;
}
