using PushNode.Settings;

namespace PushNode.Endpoints;

/// <summary>Opens WebSockets, at <c>/ws</c> and <c>/connect</c>. Stateless; any thread.</summary>
internal sealed class WebSocketOpening(CompressionSettings compression) : Opening
{
    public override bool IsDuplex => true;

    public override (int Status, string Error)? Check(HttpContext context) => Handshake.Check(Handshake.FactsOf(context));

    public override void AddUpgrade(IHeaderDictionary headers)
    {
        headers.Upgrade = "websocket";
        headers.SecWebSocketVersion = "13";
    }

    public override async Task<Opened> AcceptAsync(HttpContext context)
    {
        var request = context.Request.Headers;
        var agreement = Negotiation.Choose(request.SecWebSocketProtocol, request.SecWebSocketExtensions, compression.Enabled);
        context.Response.Headers.SecWebSocketProtocol = agreement.Subprotocol;
        context.Response.Headers.SecWebSocketExtensions = agreement.Extension;
        var stream = await Handshake.AcceptAsync(context);
        return new Opened(agreement.Variant, stream, stream);
    }
}
