using PushNode.Settings;

namespace PushNode.Endpoints;

/// <summary>Opens WebSockets, at <c>/ws</c> and <c>/connect</c>. Stateless; any thread.</summary>
internal sealed class WebSocketOpening(CompressionSettings compression) : Opening
{
    public override (int Status, string Error)? Check(HttpContext context) => Handshake.Check(context);

    public override void AddUpgrade(IHeaderDictionary headers)
    {
        headers.Upgrade = "websocket";
        headers.SecWebSocketVersion = "13";
    }

    public override async Task<Opened> AcceptAsync(HttpContext context)
    {
        var variant = Negotiation.Choose(context.Request.Headers, context.Response.Headers, compression.Enabled);
        var stream = await Handshake.AcceptAsync(context);
        return new Opened(variant, stream, stream);
    }
}
