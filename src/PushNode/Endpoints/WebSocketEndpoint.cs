using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using PushNode.Connections;
using PushNode.FanOut;
using PushNode.Protocol;
using PushNode.Subscription;
using PushNode.Telemetry;
using PushNode.Transport;
using PushNode.Transport.Epoll;

namespace PushNode.Endpoints;

/// <summary><c>/ws</c> and <c>/connect</c>: lets a client in, upgrades it and runs its connection until it ends.</summary>
internal sealed class WebSocketEndpoint(Admission admission, ConnectionRules rules, Shards shards, Rooms rooms, NodeMetrics metrics)
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
        IWire? wire = null;
        try
        {
            wire = await UpgradeAsync(context);
        }
        finally
        {
            if (wire is null)
                admission.Leave();
        }

        if (wire is null)
            return;
        Open(wire, context.Request.QueryString.Value);
        var transport = context.Features.GetRequiredFeature<IConnectionLifetimeFeature>();
        await wire.RunAsync();
        if (wire is StreamWire)
            _ = CutLaterAsync(transport);
    }

    /// <summary>
    /// Kestrel waits without end for a peer to take the last bytes it was given, the whole program's stop included. Cutting what is gone by then does nothing.
    /// </summary>
    private async Task CutLaterAsync(IConnectionLifetimeFeature transport)
    {
        await Task.Delay(rules.Connections.CloseTimeout, rules.Time);
        transport.Abort();
    }

    /// <summary>Answers 101 and takes the connection over; null when the client has gone meanwhile.</summary>
    private static async Task<IWire?> UpgradeAsync(HttpContext context)
    {
        // How slow a client may be is for the outbox's rules to say.
        context.Features.Get<IHttpMinResponseDataRateFeature>()?.MinDataRate = null;
        var stream = await Handshake.AcceptAsync(context);
        // TLS that ends in this process stays in Kestrel's hands.
        return context.Features.Get<EpollConnection>() is { } http && !context.Request.IsHttps
            ? await http.DetachAsync()
            : new StreamWire(stream, context.Abort, context.RequestAborted);
    }

    private void Open(IWire wire, string? query)
    {
        metrics.ConnectionAccepted();
        var connection = new Connection(rules, wire, shards.Next());
        var session = new Session(connection, rooms, rules.Connections);
        // Before the first byte is read, so that the URL's rooms come before the client's own requests.
        foreach (var room in RoomsInQuery(query))
            session.JoinAtConnect(room);
    }

    /// <summary>The values of <c>room</c> as they stand in the query, for the room id's own parser to decode.</summary>
    private static IEnumerable<string> RoomsInQuery(string? query)
    {
        foreach (var pair in (query ?? "").TrimStart('?').Split('&'))
        {
            if (pair.StartsWith("room=", StringComparison.Ordinal))
                yield return pair["room=".Length..];
        }
    }
}
