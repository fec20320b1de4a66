using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace PushNode.Endpoints;

/// <summary>The server's side of the WebSocket handshake (RFC 6455, 4.2). Stateless; any thread.</summary>
internal static class Handshake
{
    private const string AcceptGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    /// <summary>Checks the request. Returns the status and sentence of the refusal, or null if the request may be upgraded.</summary>
    public static (int Status, string Error)? Check(HttpContext context)
    {
        // Methods are case-sensitive, unlike HttpMethods.IsGet.
        if (context.Request.Method != HttpMethods.Get)
            return (StatusCodes.Status405MethodNotAllowed, "This is a WebSocket endpoint; it accepts GET.");
        var headers = context.Request.Headers;
        // IsUpgradableRequest is true if the header Connection has the token Upgrade, even in HTTP/1.0, where it must be ignored (RFC 9110,
        // 7.8).
        if (!HttpProtocol.IsHttp11(context.Request.Protocol)
            || context.Features.Get<IHttpUpgradeFeature>() is not { IsUpgradableRequest: true } || !HasToken(headers.Upgrade, "websocket"))
            return (StatusCodes.Status426UpgradeRequired, "This is a WebSocket endpoint; it accepts HTTP/1.1 with Connection: Upgrade and Upgrade: websocket.");
        if (headers.SecWebSocketVersion != "13")
            return (StatusCodes.Status426UpgradeRequired, "Sec-WebSocket-Version is not accepted; it accepts 13.");
        if (!context.Request.Host.HasValue)
            return (StatusCodes.Status400BadRequest, "Host is empty; it accepts the node's name or address.");
        if (headers.SecWebSocketKey is not [{ } key] || !IsNonce(key))
            return (StatusCodes.Status400BadRequest, "Sec-WebSocket-Key is missing, malformed or given twice; it accepts 16 bytes in base64.");
        if (!Negotiation.IsReadable(headers))
            return (StatusCodes.Status400BadRequest, "Sec-WebSocket-Extensions is malformed; it accepts a list as in RFC 6455, 9.1.");
        return null;
    }

    /// <summary>Answers 101 and takes the connection over.</summary>
    /// <returns>The stream, after the answer was written.</returns>
    public static Task<Stream> AcceptAsync(HttpContext context)
    {
        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
        // RFC 6455 prescribes SHA-1 here; it has no security purpose.
#pragma warning disable CA5350
        SHA1.HashData(Encoding.ASCII.GetBytes(context.Request.Headers.SecWebSocketKey[0] + AcceptGuid), hash);
#pragma warning restore CA5350
        context.Response.Headers.SecWebSocketAccept = Convert.ToBase64String(hash);
        context.Response.Headers.Upgrade = "websocket";
        return context.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
    }

    /// <summary>
    /// Whether the key is 16 bytes in base64: 24 characters. The length check rejects spaces, which the decoder would skip.
    /// </summary>
    private static bool IsNonce(string key)
    {
        Span<byte> nonce = stackalloc byte[16];
        return key.Length == 24 && Convert.TryFromBase64String(key, nonce, out var length) && length == 16;
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
