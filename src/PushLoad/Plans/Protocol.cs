using System.Text.Json.Serialization;

namespace PushLoad.Plans;

/// <summary>How the connections receive, as the command line and the results name it.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Protocol>))]
internal enum Protocol
{
    /// <summary>A WebSocket with JSON in text frames.</summary>
    [JsonStringEnumMemberName("ws")]
    Ws,

    /// <summary>A WebSocket with MessagePack in binary frames, and requests in MessagePack too.</summary>
    [JsonStringEnumMemberName("msgpack")]
    MsgPack,

    /// <summary>Server-sent events over HTTP/1.1.</summary>
    [JsonStringEnumMemberName("sse")]
    Sse,

    /// <summary>Lines of JSON over HTTP/1.1.</summary>
    [JsonStringEnumMemberName("stream")]
    Stream,
}
