namespace PushNode.Messages;

/// <summary>
/// The kinds of clients, each with its own encoding of the same messages. A connection has one for life, chosen by its handshake. The names, in
/// snake case, are the values of the metrics' label <c>variant</c>.
/// </summary>
internal enum Variant : byte
{
    /// <summary>JSON in WebSocket text frames.</summary>
    Json,

    /// <summary>The same, and batches may be deflated.</summary>
    JsonDeflate,

    /// <summary>MessagePack in WebSocket binary frames.</summary>
    MessagePack,

    /// <summary>The same, and batches may be deflated.</summary>
    MessagePackDeflate,

    /// <summary>Server-sent events over HTTP.</summary>
    Sse,

    /// <summary>Lines of JSON over HTTP.</summary>
    Stream,
}

/// <summary>What <see cref="Variant"/>s have in common.</summary>
internal static class Variants
{
    /// <summary>The number of variants.</summary>
    public static readonly int Count = Enum.GetValues<Variant>().Length;

    /// <summary>The variant of a WebSocket client.</summary>
    public static Variant OfWebSocket(bool isMessagePack, bool isDeflated) => isMessagePack
        ? isDeflated ? Variant.MessagePackDeflate : Variant.MessagePack
        : isDeflated ? Variant.JsonDeflate : Variant.Json;

    /// <summary>Whether the client has negotiated permessage-deflate.</summary>
    public static bool IsDeflated(this Variant variant) => variant is Variant.JsonDeflate or Variant.MessagePackDeflate;

    /// <summary>Whether its messages are MessagePack in binary frames; the client may send such too.</summary>
    public static bool IsMessagePack(this Variant variant) => variant is Variant.MessagePack or Variant.MessagePackDeflate;

    /// <summary>The variant of the same messages that are not deflated.</summary>
    public static Variant Plain(this Variant variant) => variant switch
    {
        Variant.JsonDeflate => Variant.Json,
        Variant.MessagePackDeflate => Variant.MessagePack,
        _ => variant,
    };
}
