namespace PushNode.Framing;

/// <summary>
/// The exact bytes that go onto a socket, WebSocket header included: encoded once, immutable, shared by every connection that gets them.
/// </summary>
/// <param name="bytes">Header and payload.</param>
/// <param name="deliveries">How many messages it carries; 0 for everything that is not a PUSH.</param>
internal sealed class Frame(byte[] bytes, int deliveries = 0)
{
    public ReadOnlyMemory<byte> Bytes => bytes;

    public int Length => bytes.Length;

    public int Deliveries { get; } = deliveries;
}
