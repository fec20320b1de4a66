namespace PushNode.Messages;

/// <summary>The encodings that clients can ask for. A new one is a value here and a case in <see cref="RoomFrames"/>.</summary>
internal enum Variant : byte
{
    /// <summary>JSON in WebSocket text frames: docs/protocol.md.</summary>
    Json,
}

/// <summary>
/// What all members of a room get at once, a PUSH or a GAP. Encoded once for each variant, when the first member wants it, so the number of encodings depends on the
/// variants and never on the members. Not thread-safe: the thread that dispatches it encodes it.
/// </summary>
/// <param name="messages">The number of messages in it; 0 for a GAP.</param>
/// <param name="encode">Encodes it for one variant.</param>
internal sealed class Batch(int messages, Func<Variant, Frame> encode)
{
    private readonly Frame?[] _frames = new Frame?[VariantCount];

    /// <summary>The number of variants.</summary>
    public const int VariantCount = 1;

    /// <summary>The number of messages in it; 0 for a GAP.</summary>
    public int Messages { get; } = messages;

    /// <summary>Its frame for the members of one variant.</summary>
    public Frame For(Variant variant) => _frames[(int)variant] ??= encode(variant);
}
