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
internal sealed class ClientEndpoint(Admission admission, ConnectionRules rules, Shards shards, SessionRules sessions, NodeMetrics metrics)
{
    private const string RetryAfterSeconds = "1";

    /// <summary>Handles one request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="opening">How requests of its path become connections.</param>
    public async Task HandleAsync(HttpContext context, Opening opening)
    {
        if (opening.Check(context) is var (status, error))
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

        await RunAsync(context, opening);
    }

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

    private async Task RunAsync(HttpContext context, Opening opening)
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
        try
        {
            Join(connection, context.Request.QueryString.Value, early);
        }
        catch (Exception e)
        {
            // The reader sees the end and releases the descriptor, the place and the rooms.
            connection.Fail(e);
        }

        await wire.RunAsync();
        if (wire is StreamWire)
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
    private static async Task<(Variant Variant, IWire? Wire, byte[] Early)> OpenAsync(HttpContext context, Opening opening)
    {
        // The outbox's limits decide how slow a client may be, not Kestrel's minimum data rates.
        context.Features.Get<IHttpMinResponseDataRateFeature>()?.MinDataRate = null;
        // Kestrel keeps carrying connections whose TLS ends in this process.
        var http = context.Request.IsHttps ? null : context.Features.Get<EpollConnection>();
        http?.BeginDetach();
        var (variant, input, output) = await opening.AcceptAsync(context);
        if (http is null)
        {
            var socket = context.Features.Get<IConnectionSocketFeature>()?.Socket;
            return (variant, new StreamWire(input, output, socket, context.Abort, context.RequestAborted), []);
        }

        return await http.DetachAsync() is var (wire, early) ? (variant, wire, early) : (variant, null, []);
    }

    /// <summary>Greets the client and joins the URL's rooms, then handles the bytes that the client has sent already.</summary>
    private void Join(Connection connection, ReadOnlySpan<char> query, Span<byte> early)
    {
        connection.Greet();
        UrlRooms.Join(new Session(connection, sessions), query, sessions.MaxRooms);
        if (early.Length > 0)
            connection.OnBytes(early);
    }
}
