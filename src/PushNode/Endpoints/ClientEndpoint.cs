using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using PushNode.Connections;
using PushNode.Control;
using PushNode.FanOut;
using PushNode.Messages;
using PushNode.Protocol;
using PushNode.Telemetry;
using PushNode.Transport.Epoll;
using PushNode.Transport.Kestrel;

namespace PushNode.Endpoints;

/// <summary>
/// What all paths for clients share: admits a client, opens its connection and runs it until it ends. Any thread.
/// </summary>
internal sealed class ClientEndpoint(HandshakeLimits limits, Admission admission, ConnectionRules rules, Shards shards, SessionRules sessions, NodeMetrics metrics)
{
    private const string RetryAfterSeconds = "1";

    /// <summary>Handles one request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="opening">How requests of its path become connections.</param>
    public async Task HandleAsync(HttpContext context, Opening opening)
    {
        // Before all other work: what one client sends above its limit must not cost the others anything.
        if (limits.TryEnter(context.Connection.RemoteIpAddress, out var place, out var wait) is { } limit)
        {
            await RefuseAsync(context, opening, limit, wait);
            return;
        }

        using (place)
            await AdmitAsync(context, opening, place);
    }

    private async Task AdmitAsync(HttpContext context, Opening opening, AddressPlace? place)
    {
        if (Check(context, opening) is var (status, error))
        {
            metrics.ConnectionRefused(Refusal.Handshake);
            await RefuseAsync(context, opening, status, error);
            return;
        }

        var origin = context.Request.Headers.Origin.ToString();
        if (!admission.Allows(origin))
        {
            metrics.ConnectionRefused(Refusal.Origin);
            await RefuseAsync(context, opening, StatusCodes.Status403Forbidden, "Pages of this origin may not connect.");
            return;
        }

        opening.Allow(context.Response.Headers, admission.AllowsEveryOrigin ? "*" : origin);
        if (admission.TryEnter() is { } refusal)
        {
            metrics.ConnectionRefused(refusal);
            context.Response.Headers.RetryAfter = RetryAfterSeconds;
            await RefuseAsync(context, opening, StatusCodes.Status503ServiceUnavailable, admission.Explain(refusal));
            return;
        }

        Entry entry;
        try
        {
            entry = Entry.Of(context.Request.QueryString.Value, context.Request.Headers.Authorization, sessions.Access);
        }
        catch
        {
            // A bug, which must not keep the place.
            admission.Leave();
            throw;
        }

        if (entry.Verdict == TokenVerdict.NoKeys || (entry.Principal is null && !opening.IsDuplex))
        {
            admission.Leave();
            await RefuseTokenAsync(context, opening, entry.Verdict);
            return;
        }

        if (!opening.IsDuplex && entry.Principal?.User is { } user && sessions.Users.RefusalOf(user) is { } reason)
        {
            admission.Leave();
            await RefuseUserAsync(context, opening, reason);
            return;
        }

        await RunAsync(context, opening, entry, place);
    }

    /// <summary>Tells a client without close frames what a WebSocket is closed for.</summary>
    private Task RefuseUserAsync(HttpContext context, Opening opening, CloseReason reason)
    {
        var isLimit = reason == CloseReason.UserLimit;
        metrics.ConnectionRefused(isLimit ? Refusal.UserFull : Refusal.Banned);
        if (isLimit)
            context.Response.Headers.RetryAfter = RetryAfterSeconds;
        return RefuseAsync(context, opening, isLimit ? StatusCodes.Status429TooManyRequests : StatusCodes.Status403Forbidden, reason.Text);
    }

    private Task RefuseTokenAsync(HttpContext context, Opening opening, TokenVerdict verdict)
    {
        if (verdict == TokenVerdict.NoKeys)
        {
            metrics.ConnectionRefused(Refusal.NoKeys);
            context.Response.Headers.RetryAfter = RetryAfterSeconds;
            return RefuseAsync(context, opening, StatusCodes.Status503ServiceUnavailable, "The node cannot verify tokens yet; try another one.");
        }

        if (verdict == TokenVerdict.Missing)
            sessions.Access.Count(verdict);
        metrics.ConnectionRefused(Refusal.Token);
        // RFC 6750, 3: no error for a client that has given no token.
        context.Response.Headers.WWWAuthenticate = verdict == TokenVerdict.Missing ? "Bearer" : "Bearer error=\"invalid_token\"";
        return RefuseAsync(context, opening, StatusCodes.Status401Unauthorized, verdict.Text());
    }

    /// <summary>Refuses a handshake by a limit: 503 sends a client to the next node, 429 is for this client alone.</summary>
    private Task RefuseAsync(HttpContext context, Opening opening, Refusal limit, TimeSpan wait)
    {
        metrics.ConnectionRefused(limit);
        limits.Log(context, limit);
        var origin = context.Request.Headers.Origin.ToString();
        if (admission.Allows(origin))
            opening.Allow(context.Response.Headers, admission.AllowsEveryOrigin ? "*" : origin);
        context.Response.Headers.RetryAfter = HandshakeLimits.RetryAfter(wait);
        var status = limit == Refusal.NodeRate ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status429TooManyRequests;
        return RefuseAsync(context, opening, status, limits.Explain(limit));
    }

    private static (int Status, string Error)? Check(HttpContext context, Opening opening) =>
        context.Features.Get<IConnectionTransportFeature>() is null
            ? (StatusCodes.Status501NotImplemented, "A push node needs Kestrel; this server keeps its connections to itself.")
            : opening.Check(context);

    /// <summary>Answers with a status and a sentence of plain text.</summary>
    private static Task RefuseAsync(HttpContext context, Opening opening, int status, string error)
    {
        var headers = context.Response.Headers;
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        if (status == StatusCodes.Status405MethodNotAllowed)
        {
            headers.Allow = HttpMethods.Get;
        }
        else if (status == StatusCodes.Status426UpgradeRequired)
        {
            opening.AddUpgrade(headers);
            // Replaces CloseAfterAnswer's header, which says only close.
            headers.Connection = "Upgrade, close";
        }

        return context.Response.WriteAsync(error + "\n");
    }

    private async Task RunAsync(HttpContext context, Opening opening, Entry entry, AddressPlace? place)
    {
        var variant = Variant.Json;
        IWire? wire = null;
        byte[] early = [];
        try
        {
            (variant, wire, early) = await OpenAsync(context, opening);
        }
        finally
        {
            if (wire is null)
                admission.Leave();
        }

        if (wire is null)
            return;
        context.Features.Get<PendingHandshake>()?.End();
        var transport = context.Features.GetRequiredFeature<IConnectionLifetimeFeature>();
        var connection = new Connection(rules, wire, shards.Next(), variant);
        place?.PassTo(connection);
        try
        {
            var request = context.Request;
            entry.Begin(connection, sessions, request.QueryString.Value, variant == Variant.Sse ? request.Headers["Last-Event-ID"] : default);
            if (early.Length > 0)
                connection.OnBytes(early);
        }
        catch (Exception e)
        {
            // The reader sees the end and releases the descriptor, the place and the rooms.
            connection.Fail(e);
        }

        await wire.RunAsync();
        if (wire is StreamWire && HttpProtocol.IsHttp11(context.Request.Protocol))
            _ = CutLaterAsync(transport);
    }

    /// <summary>
    /// Cuts the connection after a delay if it is still open then. Kestrel waits without a deadline for a peer to take the last bytes, even
    /// while the program stops.
    /// </summary>
    private async Task CutLaterAsync(IConnectionLifetimeFeature transport)
    {
        await Task.Delay(rules.Connections.CloseTimeout, rules.Time);
        transport.Abort();
    }

    /// <summary>Answers with the head of success and takes the connection over.</summary>
    /// <returns>The wire, null if the client is gone, and the bytes that the client has sent already.</returns>
    private async Task<(Variant Variant, IWire? Wire, byte[] Early)> OpenAsync(HttpContext context, Opening opening)
    {
        // The outbox's limits decide how slow a client may be, not Kestrel's minimum data rates.
        context.Features.Get<IHttpMinResponseDataRateFeature>()?.MinDataRate = null;
        // Kestrel keeps carrying connections whose TLS ends in this process (the request's scheme may be what a proxy said), and those that
        // several requests share.
        var isWhole = HttpProtocol.IsHttp11(context.Request.Protocol);
        var http = isWhole && context.Features.Get<ITlsHandshakeFeature>() is null ? context.Features.Get<EpollConnection>() : null;
        http?.BeginDetach();
        var (variant, input, output) = await opening.AcceptAsync(context);
        if (http is null)
        {
            var socket = context.Features.Get<IConnectionSocketFeature>()?.Socket;
            if (isWhole && socket is not null)
                KestrelSockets.Limit(socket, rules.Connections);
            return (variant, new StreamWire(input, output, socket, context.Abort, context.RequestAborted), []);
        }

        return await http.DetachAsync() is var (wire, early) ? (variant, wire, early) : (variant, null, []);
    }
}
