using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace PushNode.Endpoints;

/// <summary>
/// The server's side of the WebSocket handshake: RFC 6455, 4.2, and over HTTP/2 RFC 8441, which browsers choose on a TLS connection that they
/// have already. Stateless; any thread.
/// </summary>
internal static class Handshake
{
    /// <summary>Characters of a nonce: 16 bytes in base64.</summary>
    public const int NonceLength = 24;

    /// <summary>Characters of Sec-WebSocket-Accept.</summary>
    public const int AcceptLength = 28;

    private const string AcceptGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    /// <summary>Decides by the rules. Returns the status and sentence of the refusal, or null if the request may be upgraded.</summary>
    public static (int Status, string Error)? Check(in UpgradeFacts facts)
    {
        if (!facts.IsConnect && !facts.IsGet)
            return (StatusCodes.Status405MethodNotAllowed, "This is a WebSocket endpoint; it accepts GET.");
        if (!facts.IsConnect && !facts.IsUpgrade)
            return (StatusCodes.Status426UpgradeRequired, "This is a WebSocket endpoint; it accepts HTTP/1.1 with Connection: Upgrade and Upgrade: websocket.");
        if (!facts.IsVersion13)
            return (StatusCodes.Status426UpgradeRequired, "Sec-WebSocket-Version is not accepted; it accepts 13.");
        if (!facts.HasHost)
            return (StatusCodes.Status400BadRequest, "Host is empty; it accepts the node's name or address.");
        if (!facts.IsConnect && !IsNonce(facts.Key))
            return (StatusCodes.Status400BadRequest, "Sec-WebSocket-Key is missing, malformed or given twice; it accepts 16 bytes in base64.");
        if (!Negotiation.IsReadable(facts.Extensions))
            return (StatusCodes.Status400BadRequest, "Sec-WebSocket-Extensions is malformed; it accepts a list as in RFC 6455, 9.1.");
        return null;
    }

    /// <summary>The facts of a request that Kestrel has read.</summary>
    public static UpgradeFacts FactsOf(HttpContext context)
    {
        var headers = context.Request.Headers;
        return new()
        {
            IsConnect = ExtendedConnect(context) is not null,
            // Methods are case-sensitive, unlike HttpMethods.IsGet.
            IsGet = context.Request.Method == HttpMethods.Get,
            // IsUpgradableRequest is true if the header Connection has the token Upgrade, even in HTTP/1.0, where it must be ignored (RFC 9110,
            // 7.8).
            IsUpgrade = HttpProtocol.IsHttp11(context.Request.Protocol)
                && context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } && HasToken(headers.Upgrade, "websocket"),
            HasHost = context.Request.Host.HasValue,
            IsVersion13 = headers.SecWebSocketVersion == "13",
            Key = headers.SecWebSocketKey is [{ } key] ? key : default(ReadOnlySpan<char>),
            Extensions = headers.SecWebSocketExtensions,
        };
    }

    /// <summary>Answers 101, or 200 over HTTP/2, and takes the connection or its stream over.</summary>
    /// <returns>The stream, after the answer was written.</returns>
    public static Task<Stream> AcceptAsync(HttpContext context)
    {
        if (ExtendedConnect(context) is { } connect)
            return connect.AcceptAsync().AsTask();
        context.Response.Headers.SecWebSocketAccept = string.Create(AcceptLength, context.Request.Headers.SecWebSocketKey[0]!, static (accept, key) => WriteAccept(key, accept));
        context.Response.Headers.Upgrade = "websocket";
        return context.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
    }

    /// <summary>Writes the answer to a nonce: Sec-WebSocket-Accept, of <see cref="AcceptLength"/> characters.</summary>
    public static void WriteAccept(ReadOnlySpan<char> key, Span<char> accept)
    {
        Span<byte> salted = stackalloc byte[NonceLength + AcceptGuid.Length];
        Encoding.ASCII.GetBytes(key, salted);
        Encoding.ASCII.GetBytes(AcceptGuid, salted[NonceLength..]);
        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
        // RFC 6455 prescribes SHA-1 here; it has no security purpose.
#pragma warning disable CA5350
        SHA1.HashData(salted, hash);
#pragma warning restore CA5350
        Convert.TryToBase64Chars(hash, accept, out _);
    }

    /// <summary>The feature of a CONNECT for a WebSocket (RFC 8441, 4); null for any other request.</summary>
    private static IHttpExtendedConnectFeature? ExtendedConnect(HttpContext context) =>
        context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true, Protocol: "websocket" } connect ? connect : null;

    /// <summary>
    /// Whether the key is 16 bytes in base64: 24 characters. The length check rejects spaces, which the decoder would skip.
    /// </summary>
    private static bool IsNonce(ReadOnlySpan<char> key)
    {
        Span<byte> nonce = stackalloc byte[16];
        return key.Length == NonceLength && Convert.TryFromBase64Chars(key, nonce, out var length) && length == 16;
    }

    private static bool HasToken(StringValues header, string token)
    {
        foreach (var value in header)
        {
            foreach (var range in value.AsSpan().Split(','))
            {
                if (value.AsSpan()[range].Trim().Equals(token, StringComparison.OrdinalIgnoreCase))
                    return true;
            }
        }

        return false;
    }
}
