using Microsoft.Extensions.Primitives;

namespace PushNode.Endpoints;

/// <summary>The subprotocols of WebSocket clients: the encoding of messages (RFC 6455, 1.9). Stateless; any thread.</summary>
internal static class Subprotocol
{
    /// <summary>JSON in text frames, which also a client without a subprotocol gets.</summary>
    public const string Json = "push.json";

    /// <summary>MessagePack in binary frames.</summary>
    public const string MessagePack = "push.msgpack";

    /// <summary>The one that the client prefers among those that the node knows; null if it offers none of them.</summary>
    /// <param name="offered">
    /// The values of Sec-WebSocket-Protocol: names separated by commas, the preferred first. Several values count as one (RFC 6455, 11.3.4).
    /// </param>
    public static string? Choose(StringValues offered)
    {
        foreach (var value in offered)
        {
            foreach (var range in value.AsSpan().Split(','))
            {
                // Compared as they are: a client fails if it gets a name that it has not offered.
                var name = value.AsSpan()[range].Trim(" \t");
                if (name.SequenceEqual(MessagePack))
                    return MessagePack;
                if (name.SequenceEqual(Json))
                    return Json;
            }
        }

        return null;
    }
}
