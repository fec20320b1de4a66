using PushNode.Messages;

namespace PushNode.Endpoints;

/// <summary>Opens WebSockets, at <c>/ws</c> and <c>/connect</c>. Stateless; any thread.</summary>
internal sealed class WebSocketOpening : Opening
{
    public override (int Status, string Error)? Check(HttpContext context) => Handshake.Check(context);

    public override void AddUpgrade(IHeaderDictionary headers)
    {
        headers.Upgrade = "websocket";
        headers.SecWebSocketVersion = "13";
    }

    public override async Task<Opened> AcceptAsync(HttpContext context)
    {
        var subprotocol = Subprotocol.Choose(context.Request.Headers.SecWebSocketProtocol);
        context.Response.Headers.SecWebSocketProtocol = subprotocol;
        var stream = await Handshake.AcceptAsync(context);
        return new Opened(Variants.OfWebSocket(subprotocol == Subprotocol.MessagePack, isDeflated: false), stream, stream);
    }
}
