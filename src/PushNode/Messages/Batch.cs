namespace PushNode.Messages;

/// <summary>
/// The encodings that clients can get. To add one: a value here, an encoder in <see cref="RoomFrames"/> and <see cref="Answers"/>, and a choice
/// in the handshake.
/// </summary>
internal enum Variant : byte
{
    /// <summary>JSON in WebSocket text frames: docs/protocol.md.</summary>
    Json,
}

/// <summary>
/// A PUSH or a GAP for all members of a room. Encoded once per variant, when the first member needs it, so the number of encodings does not
/// grow with the members. Not thread-safe: the thread that dispatches it encodes it.
/// </summary>
/// <param name="messages">The number of messages in it; 0 for a GAP.</param>
/// <param name="encode">Encodes it for one variant.</param>
internal sealed class Batch(int messages, Func<Variant, Frame> encode)
{
    /// <summary>The number of values of <see cref="Variant"/>.</summary>
    public static readonly int VariantCount = Enum.GetValues<Variant>().Length;

    private readonly Frame?[] _frames = new Frame?[VariantCount];

    /// <summary>The number of messages in it; 0 for a GAP.</summary>
    public int Messages { get; } = messages;

    /// <summary>Its frame for the members of one variant.</summary>
    public Frame For(Variant variant) => _frames[(int)variant] ??= encode(variant);
}
