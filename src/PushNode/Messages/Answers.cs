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

    /// <summary>A position, or a number of messages, is not accepted.</summary>
    public const string BadPosition = "bad_position";

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

    /// <summary>The client may not do this.</summary>
    public const string Forbidden = "forbidden";

    /// <summary>The token of an AUTH is not accepted; the client's rights stay as they were.</summary>
    public const string BadToken = "bad_token";

    /// <summary>The node does not look at tokens.</summary>
    public const string AuthOff = "auth_off";

    /// <summary>The client sends too many messages; the node does not process them.</summary>
    public const string RateLimited = "rate_limited";

    /// <summary>The user is muted.</summary>
    public const string Muted = "muted";

    /// <summary>The room has slow mode, and the user's last SEND there is too recent.</summary>
    public const string SlowMode = "slow_mode";

    /// <summary>The client, its user, or all clients of the room or node SEND too much.</summary>
    public const string SendLimited = "send_limited";

    /// <summary>The backplane is unavailable; the SEND was not published.</summary>
    public const string NotSent = "not_sent";

    /// <summary>The backplane did not confirm in time; the SEND may or may not have been published.</summary>
    public const string NotConfirmed = "not_confirmed";

    /// <summary>The item of a SEND is missing or not accepted.</summary>
    public const string BadItem = "bad_item";

    /// <summary>The client is not in the room whose history it asks for.</summary>
    public const string NotJoined = "not_joined";

    /// <summary>The room keeps no history.</summary>
    public const string NoHistory = "no_history";

    /// <summary>The history cannot be read now.</summary>
    public const string HistoryAway = "history_away";

    /// <summary>The code of a SEND that was not published.</summary>
    public static string Of(SendResult result) => result switch
    {
        SendResult.Forbidden => Forbidden,
        SendResult.BadItem => BadItem,
        SendResult.Muted => Muted,
        SendResult.SlowMode => SlowMode,
        SendResult.NotSent => NotSent,
        SendResult.NotConfirmed or SendResult.Failed => NotConfirmed,
        _ => SendLimited,
    };

    /// <summary>The code of a HISTORY that has no other answer.</summary>
    public static string Of(HistoryResult result) => result switch
    {
        HistoryResult.NotJoined => NotJoined,
        HistoryResult.NoHistory => NoHistory,
        HistoryResult.TooMany => TooManyRequests,
        _ => HistoryAway,
    };

    /// <summary>The code of a request that a limit refused.</summary>
    public static string Of(RequestRefusal refusal) => refusal switch
    {
        RequestRefusal.RoomLimit => RoomLimit,
        RequestRefusal.TooManyJoins => TooManyJoins,
        RequestRefusal.TooManyRooms => TooManyRooms,
        RequestRefusal.Forbidden => Forbidden,
        _ => TooManyRequests,
    };
}

/// <summary>The rights and limits that can refuse a request (push_requests_refused_total), named like their <see cref="ErrorCode"/>.</summary>
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

    /// <summary>The client may not do this.</summary>
    Forbidden,
}

/// <summary>Why a client is no longer in a room that it has not left.</summary>
internal static class LeftReason
{
    /// <summary>The client's new token does not allow the room.</summary>
    public const string Forbidden = "forbidden";

    /// <summary>An operator has taken the client out of the room.</summary>
    public const string Removed = "removed";
}

/// <summary>The answers to requests, as JSON; each echoes the request's id. <see cref="RoomFrames.Joined"/> makes JOINED.</summary>
internal static class Answers
{
    public static string Pong(string? id) => Answer("PONG", id, "{}");

    /// <param name="room">The room.</param>
    /// <param name="id">The request's id as raw JSON; null if it has none, or the client has not asked to leave.</param>
    /// <param name="reason">One of <see cref="LeftReason"/>; null if the client has asked.</param>
    public static string Left(RoomId room, string? id, string? reason = null)
    {
        var why = reason is null ? "" : $",\"reason\":\"{reason}\"";
        return Answer("LEFT", id, $$"""{"room":"{{JsonText.Escape(room.ToString())}}"{{why}}}""");
    }

    public static string Sent(RoomId room, string? id) => Answer("SENT", id, $$"""{"room":"{{JsonText.Escape(room.ToString())}}"}""");

    /// <param name="user">The token's user; null if it has none.</param>
    /// <param name="expires">When the token expires, in seconds since 1970.</param>
    /// <param name="id">The request's id as raw JSON; null if it has none.</param>
    public static string Authed(UserId? user, long expires, string? id)
    {
        var who = user is { } name ? $"\"user\":\"{JsonText.Escape(name.ToString())}\"," : "";
        return Answer("AUTHED", id, $$"""{{{who}}"expires":{{expires}}}""");
    }

    /// <param name="seconds">The time until the token expires.</param>
    public static string Expiring(long seconds) => Answer("EXPIRING", null, $$"""{"in":{{seconds}}}""");

    /// <param name="code">One of <see cref="ErrorCode"/>.</param>
    /// <param name="message">What is wrong and what the node accepts.</param>
    /// <param name="id">The request's id as raw JSON; null if it has none.</param>
    /// <param name="wait">After which time the request may succeed; zero if the node does not say.</param>
    public static string Error(string code, string message, string? id, TimeSpan wait = default)
    {
        var after = wait > TimeSpan.Zero ? $",\"wait\":{(long)Math.Ceiling(wait.TotalMilliseconds)}" : "";
        return Answer("ERROR", id, $$"""{"code":"{{code}}","message":"{{JsonText.Escape(message)}}"{{after}}}""");
    }

    private static string Answer(string type, string? id, string data)
    {
        var echo = id is null ? "" : $"\"id\":{id},";
        return $$"""{"type":"{{type}}",{{echo}}"data":{{data}}}""";
    }
}
