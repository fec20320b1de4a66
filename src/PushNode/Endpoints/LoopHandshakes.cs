using System.Net;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.HostFiltering;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;
using PushHosting.Network;
using PushNode.Connections;
using PushNode.Control;
using PushNode.FanOut;
using PushNode.Http;
using PushNode.Messages;
using PushNode.Protocol;
using PushNode.Settings;
using PushNode.Transport.Epoll;

namespace PushNode.Endpoints;

/// <summary>
/// Answers plain WebSocket handshakes on the loops, by the same rules as <see cref="ClientEndpoint"/> and with the same bytes, without Kestrel: a
/// storm of them costs a fifth. It only ever accepts; what is unusual, or would be refused, is Kestrel's. For programs that put nothing
/// before <see cref="ClientEndpoint"/> but what this class knows of. Lives as long as the node; any thread.
/// </summary>
internal sealed class LoopHandshakes(
    PendingHandshakes pending, HandshakeLimits limits, Admission admission, ConnectionRules rules, Shards shards, SessionRules sessions,
    CompressionSettings compression, IOptionsMonitor<HostFilteringOptions> hosts, ILoggerFactory loggers, ForwardedAddress? forwarded = null) : IFirstRequests
{
    /// <summary>What Chromium and Firefox offer.</summary>
    private const string BrowsersOffer = "permessage-deflate; client_max_window_bits";

    private const string Upgrade = "Upgrade";
    private const string KeepAliveUpgrade = "keep-alive, Upgrade";

    private readonly UpgradeAnswer _answer = new(rules.Time);

    /// <summary>Writes a line for each request, if an operator wants them.</summary>
    private readonly ILogger _requestLog = loggers.CreateLogger("Microsoft.AspNetCore.Hosting.Diagnostics");

    private volatile byte[][] _paths = [];

    /// <summary>Answers handshakes for this path from now on.</summary>
    public void Serve(string path) => _paths = [.. _paths, Encoding.ASCII.GetBytes(path)];

    public IDisposable? Arrive(Action cut) => pending.TryBegin(cut);

    public void HandOver(IDisposable place, ConnectionContext connection) => connection.Features.Set((PendingHandshake)place);

    public bool TryAnswer(ReadOnlySpan<byte> request, IPEndPoint? remote, Greeting greeting)
    {
        if (!RequestHead.TryRead(request, out var head) || !IsServed(head) || _requestLog.IsEnabled(LogLevel.Information))
            return false;
        Span<char> key = stackalloc char[Handshake.NonceLength];
        if (!TryReadFacts(head, key, out var facts) || Handshake.Check(facts) is not null)
            return false;
        if (!admission.AllowsEveryOrigin && !admission.Allows(Text(head[RequestHeader.Origin]).ToString()))
            return false;
        if (!TryFindAddress(head, remote?.Address, out var client))
            return false;
        if (!sessions.Access.IsReady || admission.TryEnter() is not null)
            return false;
        if (limits.TryEnter(client, out var place, out _) is not null)
        {
            admission.Leave();
            return false;
        }

        using (place)
            Open(head, facts, place, greeting);
        return true;
    }

    /// <summary>Whether the rest of the program would leave the request to <see cref="ClientEndpoint"/> as it is.</summary>
    private bool IsServed(in RequestHead head)
    {
        var isPath = false;
        foreach (var path in _paths)
            isPath |= head.Path.SequenceEqual(path);
        return isPath && hosts.CurrentValue.AllowedHosts is [] or ["*"];
    }

    /// <summary>Finds the client's address, if it matters.</summary>
    /// <returns>False if the host has to decide whom a proxy's header names.</returns>
    private bool TryFindAddress(in RequestHead head, IPAddress? peer, out IPAddress? client)
    {
        client = peer;
        var named = head[RequestHeader.ForwardedFor];
        if (named.IsEmpty || !limits.LooksAtAddresses)
            return true;
        if (forwarded is null || peer is null)
            return false;
        client = forwarded.ClientOf(peer, Encoding.ASCII.GetString(named));
        return client is not null;
    }

    /// <summary>Reads the facts of an upgrade as clients and proxies usually write it.</summary>
    private static bool TryReadFacts(in RequestHead head, Span<char> key, out UpgradeFacts facts)
    {
        facts = default;
        var connection = head[RequestHeader.Connection];
        if (!Ascii.EqualsIgnoreCase(connection, Upgrade) && !Ascii.EqualsIgnoreCase(connection, KeepAliveUpgrade))
            return false;
        if (!Ascii.EqualsIgnoreCase(head[RequestHeader.Upgrade], "websocket"u8) || head[RequestHeader.WebSocketKey].Length != key.Length)
            return false;
        Encoding.ASCII.GetChars(head[RequestHeader.WebSocketKey], key);
        facts = new()
        {
            IsGet = true,
            IsUpgrade = true,
            HasHost = true,
            IsVersion13 = head[RequestHeader.WebSocketVersion].SequenceEqual("13"u8),
            Key = key,
            Extensions = Text(head[RequestHeader.WebSocketExtensions]),
        };
        return true;
    }

    private void Open(in RequestHead head, in UpgradeFacts facts, AddressPlace? place, Greeting greeting)
    {
        var isOpen = false;
        try
        {
            Span<char> query = stackalloc char[head.Query.Length];
            Encoding.ASCII.GetChars(head.Query, query);
            var entry = Entry.Of(query, Text(head[RequestHeader.Authorization]), sessions.Access);
            var agreement = Negotiation.Choose(Text(head[RequestHeader.WebSocketProtocol]), facts.Extensions, compression.Enabled);
            var answer = new Frame(_answer.Encode(facts.Key, agreement));
            var connection = new Connection(rules, greeting.Open(), shards.Next(), agreement.Variant);
            isOpen = true;
            place?.PassTo(connection);
            Begin(connection, answer, entry, query);
        }
        finally
        {
            // A bug, which must not keep the place.
            if (!isOpen)
                admission.Leave();
        }
    }

    private void Begin(Connection connection, Frame answer, Entry entry, ReadOnlySpan<char> query)
    {
        try
        {
            connection.BeginOpening(answer);
            entry.Begin(connection, sessions, query, lastEventId: null);
            connection.EndOpening(answer);
            rules.Metrics.LoopHandshake();
        }
        catch (Exception e)
        {
            // A bug. The reader sees the end and releases the descriptor, the place and the rooms.
            connection.Fail(e);
        }
    }

    /// <summary>A header's value as the rules take it; none if it is missing.</summary>
    private static StringValues Text(ReadOnlySpan<byte> value) =>
        value.IsEmpty ? default(StringValues) : Ascii.Equals(value, BrowsersOffer) ? BrowsersOffer : Encoding.ASCII.GetString(value);
}
