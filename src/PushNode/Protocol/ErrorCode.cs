namespace PushNode.Protocol;

/// <summary>The codes of ERROR answers; docs/protocol.md says what a client should do about each.</summary>
internal static class ErrorCode
{
    /// <summary>The message is not JSON.</summary>
    public const string BadJson = "bad_json";

    /// <summary>The message is JSON but no request: no object, no type, an unusable id.</summary>
    public const string BadRequest = "bad_request";

    /// <summary>The type is none that this server knows.</summary>
    public const string UnknownType = "unknown_type";

    /// <summary>The room is missing or its name is not accepted.</summary>
    public const string BadRoom = "bad_room";

    /// <summary>The connection is in as many rooms as it may be.</summary>
    public const string RoomLimit = "room_limit";

    /// <summary>The JOIN is accepted, but the backplane is away; JOINED follows when it is back.</summary>
    public const string BackplaneAway = "backplane_away";

    /// <summary>Too many requests wait behind a JOIN; this one was not processed.</summary>
    public const string TooManyRequests = "too_many_requests";

    /// <summary>The client has sent more JOINs than its rate allows; this one was not processed.</summary>
    public const string TooManyJoins = "too_many_joins";

    /// <summary>The node has as many rooms as it may have, and this one is not among them.</summary>
    public const string TooManyRooms = "too_many_rooms";

    /// <summary>The client sends more messages than it may; they are not processed.</summary>
    public const string RateLimited = "rate_limited";
}
