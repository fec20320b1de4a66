using PushNode.Messages;
using PushNode.WebSocket;

namespace PushNode.Endpoints;

/// <summary>What a client and the node agree on in a WebSocket handshake. Stateless; any thread.</summary>
internal static class Negotiation
{
    /// <summary>Whether the header of extensions can be read (RFC 6455, 9.1).</summary>
    public static bool IsReadable(IHeaderDictionary request) => DeflateNegotiation.TryChoose(request.SecWebSocketExtensions, out _);

    /// <summary>Chooses among a client's offers and adds the choice to the answer.</summary>
    /// <param name="request">The headers of a request that <see cref="Handshake.Check"/> has accepted.</param>
    /// <param name="response">The answer's.</param>
    /// <param name="mayDeflate">Whether permessage-deflate may be chosen.</param>
    public static Variant Choose(IHeaderDictionary request, IHeaderDictionary response, bool mayDeflate)
    {
        var subprotocol = Subprotocol.Choose(request.SecWebSocketProtocol);
        var extension = mayDeflate && DeflateNegotiation.TryChoose(request.SecWebSocketExtensions, out var answer) ? answer : null;
        response.SecWebSocketProtocol = subprotocol;
        response.SecWebSocketExtensions = extension;
        return Variants.OfWebSocket(subprotocol == Subprotocol.MessagePack, isDeflated: extension is not null);
    }
}
