namespace PushNode.History;

/// <summary>What the rings of all rooms hold together. One per node; any thread.</summary>
/// <param name="maxBytes">Above this, a ring that gets a message keeps only that one.</param>
internal sealed class RingTotal(long maxBytes)
{
    private long _bytes;

    /// <summary>The sum of all messages' bytes, with what each costs in addition.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Whether rings have to shrink.</summary>
    public bool IsFull => Bytes > maxBytes;

    public void Add(long bytes) => Interlocked.Add(ref _bytes, bytes);
}
