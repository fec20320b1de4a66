using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using PushNode.Connections;
using PushNode.FanOut;
using PushNode.Protocol;
using PushNode.Subscription;
using PushNode.Telemetry;
using PushNode.Transport;

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
            try
            {
                await RunAsync(context);
            }
            finally
            {
                admission.Leave();
            }
        }
    }

    private async Task RunAsync(HttpContext context)
    {
        // How slow a client may be is for the outbox's rules to say.
        context.Features.Get<IHttpMinResponseDataRateFeature>()?.MinDataRate = null;
        var transport = context.Features.GetRequiredFeature<IConnectionLifetimeFeature>();
        using var wire = new StreamWire(await Handshake.AcceptAsync(context), context.Abort, context.RequestAborted);
        var connection = new Connection(rules, wire, metrics, shards.Next());
        metrics.ConnectionAccepted();
        var session = new Session(connection, rooms, rules.Connections);
        // Before the first byte is read, so that the URL's rooms come before the client's own requests.
        foreach (var room in RoomsInQuery(context.Request.QueryString.Value))
            session.JoinAtConnect(room);
        await wire.RunAsync();
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
