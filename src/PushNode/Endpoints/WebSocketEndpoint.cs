using System.Buffers;
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
    private const int ReadAheadSize = 4096;

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
        Stream stream;
        SocketWire? socket = null;
        // TLS that ends in this process stays in Kestrel's hands.
        var http = context.Request.IsHttps ? null : context.Features.Get<EpollConnection>();
        try
        {
            // How slow a client may be is for the outbox's rules to say.
            context.Features.Get<IHttpMinResponseDataRateFeature>()?.MinDataRate = null;
            stream = await Handshake.AcceptAsync(context);
            if (http is not null)
                socket = await http.DetachAsync();
        }
        catch
        {
            admission.Leave();
            throw;
        }

        if (socket is not null)
        {
            var connection = Open(socket, context.Request.QueryString.Value);
            await HandOverAsync(stream, connection);
            socket.Start();
        }
        else if (http is null)
        {
            using var wire = new StreamWire(stream, context.Abort);
            Open(wire, context.Request.QueryString.Value);
            await wire.RunAsync();
        }
        else
        {
            // The client went away during the handshake.
            admission.Leave();
        }
    }

    private Connection Open(IWire wire, string? query)
    {
        metrics.ConnectionAccepted();
        var connection = new Connection(rules, wire, metrics, shards.Next(), admission.Leave);
        var session = new Session(connection, rooms, rules.Connections);
        // Before the first byte is read, so that the URL's rooms come before the client's own requests.
        foreach (var room in RoomsInQuery(query))
            session.JoinAtConnect(room);
        return connection;
    }

    /// <summary>What the client sent before the socket was taken out of HTTP's hands.</summary>
    private static async Task HandOverAsync(Stream stream, Connection connection)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ReadAheadSize);
        int count;
        while ((count = await stream.ReadAsync(buffer)) > 0)
            connection.OnBytes(buffer.AsSpan(0, count));
        ArrayPool<byte>.Shared.Return(buffer);
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
