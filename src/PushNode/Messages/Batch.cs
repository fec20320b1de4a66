using PushNode.WebSocket;

namespace PushNode.Messages;

/// <summary>
/// One message for many clients: a PUSH, a GAP or a JOINED. It begins as JSON, and is encoded once for each further variant that has members,
/// so the number of encodings does not grow with the members. Any thread; two that need a new variant at once may both encode it.
/// </summary>
/// <param name="json">The message as JSON in a WebSocket text frame.</param>
internal sealed class Batch(Frame json)
{
    /// <summary>The frames of all variants but JSON; null until one is made.</summary>
    private Frame?[]? _others;

    /// <summary>The number of messages in a PUSH; 0 for every other frame.</summary>
    public int Messages => json.Deliveries;

    /// <summary>Its frame for the clients of one variant, not deflated.</summary>
    public Frame For(Variant variant) => variant.Plain() switch
    {
        Variant.Json => json,
        var plain => Made(plain) ?? Keep(plain, Framing.Of(plain).Encode(FrameWriter.PayloadOf(json.Bytes.Span))),
    };

    /// <summary>The frame of a variant if it is already made; null otherwise, and always for JSON.</summary>
    public Frame? Made(Variant variant) => _others is { } others ? Volatile.Read(ref others[(int)variant]) : null;

    /// <summary>Keeps a variant's frame, deflated or not.</summary>
    /// <param name="variant">The variant.</param>
    /// <param name="bytes">The whole frame.</param>
    public Frame Keep(Variant variant, byte[] bytes) => Keep(variant, new Frame(bytes, json.Deliveries, json.Loss, json.Place));

    /// <inheritdoc cref="Keep(Variant, byte[])"/>
    public Frame Keep(Variant variant, Frame frame)
    {
        if (_others is null)
            Interlocked.CompareExchange(ref _others, new Frame?[Variants.Count], null);
        Volatile.Write(ref _others[(int)variant], frame);
        return frame;
    }
}
