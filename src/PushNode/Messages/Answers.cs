using PushBackplane;

namespace PushNode.Messages;

/// <summary>The codes of ERROR answers; docs/protocol.md tells clients what to do about each.</summary>
internal static class ErrorCode
{
    /// <summary>The message is not JSON.</summary>
    public const string BadJson = "bad_json";

    /// <summary>The binary message is not MessagePack, or has values that JSON does not have.</summary>
    public const string BadMessagePack = "bad_msgpack";

    /// <summary>The message is JSON or MessagePack but not a request: not an object, no type, or an unusable id.</summary>
    public const string BadRequest = "bad_request";

    /// <summary>The node does not know the type.</summary>
    public const string UnknownType = "unknown_type";

    /// <summary>The room is missing or its name is not accepted.</summary>
    public const string BadRoom = "bad_room";

    /// <summary>The connection is at its room limit.</summary>
    public const string RoomLimit = "room_limit";

    /// <summary>The JOIN is accepted, but the backplane is unavailable; JOINED follows when it is back.</summary>
    public const string BackplaneAway = "backplane_away";

    /// <summary>Too many requests wait behind a JOIN; the node did not process this one.</summary>
    public const string TooManyRequests = "too_many_requests";

    /// <summary>The client joins too often; the node did not process this JOIN.</summary>
    public const string TooManyJoins = "too_many_joins";

    /// <summary>The node is at its room limit and does not have this room.</summary>
    public const string TooManyRooms = "too_many_rooms";

    /// <summary>The client sends too many messages; the node does not process them.</summary>
    public const string RateLimited = "rate_limited";

    /// <summary>The code of a request that a limit refused.</summary>
    public static string Of(RequestRefusal refusal) => refusal switch
    {
        RequestRefusal.RoomLimit => RoomLimit,
        RequestRefusal.TooManyJoins => TooManyJoins,
        RequestRefusal.TooManyRooms => TooManyRooms,
        _ => TooManyRequests,
    };
}

/// <summary>The limits that can refuse a request (push_requests_refused_total), named like their <see cref="ErrorCode"/>.</summary>
internal enum RequestRefusal
{
    /// <summary>The connection is at its room limit.</summary>
    RoomLimit,

    /// <summary>Too many requests wait behind a JOIN, or too many JOINs of one room wait for the backplane.</summary>
    TooManyRequests,

    /// <summary>The client joins too often.</summary>
    TooManyJoins,

    /// <summary>The node is at its room limit.</summary>
    TooManyRooms,
}

/// <summary>The answers to requests, as JSON; each echoes the request's id. <see cref="RoomFrames.Joined"/> makes JOINED.</summary>
internal static class Answers
{
    public static string Pong(string? id) => Answer("PONG", id, "{}");

    public static string Left(RoomId room, string? id) => Answer("LEFT", id, $$"""{"room":"{{JsonText.Escape(room.ToString())}}"}""");

    /// <param name="code">One of <see cref="ErrorCode"/>.</param>
    /// <param name="message">What is wrong and what the node accepts.</param>
    /// <param name="id">The request's id as raw JSON; null if it has none.</param>
    public static string Error(string code, string message, string? id) =>
        Answer("ERROR", id, $$"""{"code":"{{code}}","message":"{{JsonText.Escape(message)}}"}""");

    private static string Answer(string type, string? id, string data)
    {
        var echo = id is null ? "" : $"\"id\":{id},";
        return $$"""{"type":"{{type}}",{{echo}}"data":{{data}}}""";
    }
}
