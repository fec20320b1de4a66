using Microsoft.Extensions.Primitives;
using PushNode.Messages;
using PushNode.WebSocket;

namespace PushNode.Endpoints;

/// <summary>What a client and the node agree on in a WebSocket handshake. Stateless; any thread.</summary>
internal static class Negotiation
{
    /// <summary>Whether the header of extensions can be read (RFC 6455, 9.1).</summary>
    public static bool IsReadable(StringValues extensions) => DeflateNegotiation.TryChoose(extensions, out _);

    /// <summary>Chooses among a client's offers.</summary>
    /// <param name="subprotocols">All values of Sec-WebSocket-Protocol.</param>
    /// <param name="extensions">All values of Sec-WebSocket-Extensions, which <see cref="Handshake.Check"/> has accepted.</param>
    /// <param name="mayDeflate">Whether permessage-deflate may be chosen.</param>
    public static Agreement Choose(StringValues subprotocols, StringValues extensions, bool mayDeflate)
    {
        var subprotocol = Subprotocol.Choose(subprotocols);
        var extension = mayDeflate && DeflateNegotiation.TryChoose(extensions, out var answer) ? answer : null;
        return new(Variants.OfWebSocket(subprotocol == Subprotocol.MessagePack, isDeflated: extension is not null), subprotocol, extension);
    }
}

/// <summary>What a client and the node have agreed on.</summary>
/// <param name="Variant">The kind of client.</param>
/// <param name="Subprotocol">Sec-WebSocket-Protocol of the answer; null for none.</param>
/// <param name="Extension">Sec-WebSocket-Extensions of the answer; null for none.</param>
internal readonly record struct Agreement(Variant Variant, string? Subprotocol, string? Extension);
