using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using PushNode.Http;
using PushNode.Messages;

namespace PushNode.Endpoints;

/// <summary>
/// Opens responses without an end, at <c>/sse</c> and <c>/stream</c>: docs/adr/0026 has the reasons. Stateless; any thread.
/// </summary>
/// <param name="variant">What the clients understand; its frames are whole chunks.</param>
/// <param name="contentType">The response's type.</param>
internal sealed class ResponseOpening(Variant variant, string contentType) : Opening
{
    /// <summary>Server-sent events.</summary>
    public static readonly ResponseOpening Sse = new(Variant.Sse, "text/event-stream");

    /// <summary>Lines of JSON.</summary>
    public static readonly ResponseOpening Stream = new(Variant.Stream, "application/x-ndjson");

    public override bool IsDuplex => false;

    public override (int Status, string Error)? Check(HttpContext context)
    {
        // Methods are case-sensitive, unlike HttpMethods.IsGet.
        if (context.Request.Method != HttpMethods.Get)
            return (StatusCodes.Status405MethodNotAllowed, "This endpoint streams messages; it accepts GET.");
        // HTTP/1.0 has no chunks, so a client could not tell the end from a broken connection.
        if (HttpProtocol.IsHttp10(context.Request.Protocol))
            return (StatusCodes.Status426UpgradeRequired, "This endpoint streams messages in chunks; it accepts HTTP/1.1 or later.");
        // Bytes behind the request are not read as HTTP any more.
        if (context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: true })
            return (StatusCodes.Status400BadRequest, "The request has a body; it accepts none.");
        return null;
    }

    public override void Allow(IHeaderDictionary headers, string origin)
    {
        if (origin != "*")
            headers.Vary = "Origin";
        if (origin.Length > 0)
            headers.AccessControlAllowOrigin = origin;
    }

    public override void AddUpgrade(IHeaderDictionary headers) => headers.Upgrade = "HTTP/1.1";

    public override async Task<Opened> AcceptAsync(HttpContext context)
    {
        // A host that compresses responses would announce an encoding, and the frames do not pass through it.
        context.Request.Headers.AcceptEncoding = default;
        var headers = context.Response.Headers;
        headers.ContentType = contentType;
        headers.CacheControl = "no-store, no-transform";
        headers["X-Accel-Buffering"] = "no";
        return HttpProtocol.IsHttp11(context.Request.Protocol) ? await AcceptHttp11Async(context) : await AcceptLaterAsync(context);
    }

    private async Task<Opened> AcceptHttp11Async(HttpContext context)
    {
        // The server neither divides the body into chunks itself nor ends it, and does not read another request.
        context.Response.Headers.TransferEncoding = "chunked";
        context.Response.Headers.Connection = "close";
        await StartAsync(context);
        // Not the request's body, which ends at once.
        var input = context.Features.GetRequiredFeature<IConnectionTransportFeature>().Transport.Input;
        return new Opened(variant, input.AsStream(leaveOpen: true), context.Response.Body);
    }

    /// <summary>Over HTTP/2 and HTTP/3, whose streams share a connection and have no chunks.</summary>
    private async Task<Opened> AcceptLaterAsync(HttpContext context)
    {
        await StartAsync(context);
        return new Opened(variant, new Silence(context.RequestAborted), new ChunkContents(context.Response.Body));
    }

    private static async Task StartAsync(HttpContext context)
    {
        await context.Response.StartAsync(CancellationToken.None);
        await context.Response.Body.FlushAsync(CancellationToken.None);
    }
}
