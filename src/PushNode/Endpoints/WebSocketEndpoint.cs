using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using PushNode.Connections;
using PushNode.Control;
using PushNode.FanOut;
using PushNode.Messages;
using PushNode.Protocol;
using PushNode.Settings;
using PushNode.Telemetry;
using PushNode.Transport.Epoll;
using PushNode.Transport.Kestrel;

namespace PushNode.Endpoints;

/// <summary>
/// <c>/ws</c> and <c>/connect</c>: admits a client, upgrades its request and runs its connection until it ends. Any thread.
/// </summary>
internal sealed class WebSocketEndpoint(
    Admission admission, ConnectionRules rules, CompressionSettings compression, Shards shards, SessionRules sessions, NodeMetrics metrics)
{
    private const string RetryAfterSeconds = "1";

    public async Task HandleAsync(HttpContext context)
    {
        if (Handshake.Check(context) is var (status, error))
        {
            metrics.ConnectionRefused(Refusal.Handshake);
            await Handshake.RefuseAsync(context, status, error);
        }
        else if (!admission.Allows(context.Request.Headers.Origin.ToString()))
        {
            metrics.ConnectionRefused(Refusal.Origin);
            await Handshake.RefuseAsync(context, StatusCodes.Status403Forbidden, "Pages of this origin may not connect.");
        }
        else if (admission.TryEnter() is { } refusal)
        {
            metrics.ConnectionRefused(refusal);
            context.Response.Headers.RetryAfter = RetryAfterSeconds;
            await Handshake.RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, admission.Explain(refusal));
        }
        else
        {
            await RunAsync(context);
        }
    }

    private async Task RunAsync(HttpContext context)
    {
        var variant = Variant.Json;
        IWire? wire = null;
        byte[] early = [];
        try
        {
            variant = Negotiation.Choose(context.Request.Headers, context.Response.Headers, compression.Enabled);
            (wire, early) = await UpgradeAsync(context);
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
        metrics.ConnectionAccepted();
        var connection = new Connection(rules, wire, shards.Next(), variant);
        try
        {
            Open(connection, context.Request.QueryString.Value, early);
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

    /// <summary>Answers 101 and takes the connection over.</summary>
    /// <returns>The wire, null if the client is gone, and the bytes that the client has sent already.</returns>
    private static async Task<(IWire? Wire, byte[] Early)> UpgradeAsync(HttpContext context)
    {
        // The outbox's limits decide how slow a client may be, not Kestrel's minimum data rates.
        context.Features.Get<IHttpMinResponseDataRateFeature>()?.MinDataRate = null;
        // Kestrel keeps carrying connections whose TLS ends in this process.
        var http = context.Request.IsHttps ? null : context.Features.Get<EpollConnection>();
        http?.BeginUpgrade();
        var stream = await Handshake.AcceptAsync(context);
        if (http is null)
            return (new StreamWire(stream, context.Abort, context.RequestAborted), []);
        return await http.DetachAsync() is var (wire, early) ? (wire, early) : (null, []);
    }

    /// <summary>Joins the URL's rooms, then handles the bytes that the client has sent already.</summary>
    private void Open(Connection connection, ReadOnlySpan<char> query, Span<byte> early)
    {
        UrlRooms.Join(new Session(connection, sessions), query, sessions.MaxRooms);
        if (early.Length > 0)
            connection.OnBytes(early);
    }
}
