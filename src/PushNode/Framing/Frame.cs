namespace PushNode.Framing;

/// <summary>
/// The exact bytes that go onto a socket, WebSocket header included: encoded once, immutable but for a count of the queues that it waits in, shared by every connection that gets them.
/// </summary>
/// <param name="bytes">Header and payload.</param>
/// <param name="deliveries">How many messages it carries; 0 for everything that is not a PUSH.</param>
/// <param name="loss">How many messages it carries or, being a GAP, says are lost; null when nobody knows.</param>
internal sealed class Frame(byte[] bytes, int deliveries, long? loss)
{
    private int _holders;

    public ReadOnlyMemory<byte> Bytes => bytes;

    public int Length => bytes.Length;

    public int Deliveries { get; } = deliveries;

    /// <summary>How many messages a client misses that does not get it, and no word of it; null when nobody knows.</summary>
    public long? Loss { get; } = loss;

    /// <summary>In how many queues it waits. Any thread.</summary>
    public int Holders => Volatile.Read(ref _holders);

    /// <summary>It waits in one more queue. Any thread.</summary>
    /// <returns>Whether this is the only one.</returns>
    public bool Hold() => Interlocked.Increment(ref _holders) == 1;

    /// <summary>It waits in one queue fewer. Any thread.</summary>
    /// <returns>Whether that was the last.</returns>
    public bool Release() => Interlocked.Decrement(ref _holders) == 0;
}
