namespace PushApi.Problems;

/// <summary>
/// The catalogue of the problems for which the API refuses a request; docs/http-api.md has the same list. Each kind is also a <c>reason</c>
/// of push_api_rejected_total.
/// </summary>
internal sealed class ProblemType
{
    public static readonly ProblemType BadTarget = new("bad-target", 400, "The request target is not accepted");
    public static readonly ProblemType BadRoom = new("bad-room", 400, "Not a room name");
    public static readonly ProblemType BadUser = new("bad-user", 400, "Not a user name");
    public static readonly ProblemType BadQuery = new("bad-query", 400, "A parameter in the query is not accepted");
    public static readonly ProblemType BadBody = new("bad-body", 400, "The body cannot be read");
    public static readonly ProblemType BadMessage = new("bad-message", 400, "Not a message");
    public static readonly ProblemType NoMessages = new("no-messages", 400, "No messages in the request");
    public static readonly ProblemType BadKey = new("bad-key", 400, "Not an idempotency key");
    public static readonly ProblemType Unauthorized = new("unauthorized", 401, "The request has no valid key");
    public static readonly ProblemType ForbiddenScope = new("forbidden-scope", 403, "The key may not use this route");
    public static readonly ProblemType ForbiddenRoom = new("forbidden-room", 403, "The key may not use this room");
    public static readonly ProblemType Outside = new("outside", 403, "Only internal addresses may publish");
    public static readonly ProblemType CrossSite = new("cross-site", 403, "Web pages of this origin may not publish");
    public static readonly ProblemType BadHost = new("bad-host", 403, "The API may not be called by this name");
    public static readonly ProblemType NotFound = new("not-found", 404, "No such route");
    public static readonly ProblemType NoHistory = new("no-history", 404, "The room keeps no messages");
    public static readonly ProblemType MethodNotAllowed = new("method-not-allowed", 405, "The route does not accept this method");
    public static readonly ProblemType BodyTimeout = new("body-timeout", 408, "The body arrived too slowly");
    public static readonly ProblemType TooManyRestrictions = new("too-many-restrictions", 409, "There are as many bans and mutes as there may be");
    public static readonly ProblemType BodyTooLarge = new("body-too-large", 413, "The body is too large");
    public static readonly ProblemType MessageTooLarge = new("message-too-large", 413, "A message is too large");
    public static readonly ProblemType TooManyMessages = new("too-many-messages", 413, "Too many messages in one request");
    public static readonly ProblemType TooManyRooms = new("too-many-rooms", 413, "Too many rooms in one request");
    public static readonly ProblemType UnsupportedType = new("unsupported-type", 415, "The route does not accept this kind of body");
    public static readonly ProblemType KeyReused = new("key-reused", 422, "The idempotency key belongs to another request");
    public static readonly ProblemType RateLimited = new("rate-limited", 429, "The key has used up its rate", retryAfterSeconds: 1);
    public static readonly ProblemType TooMuchPending = new("too-much-pending", 429, "Too much is waiting to be published", retryAfterSeconds: 1);
    public static readonly ProblemType TooManyReads = new("too-many-reads", 429, "Too many pages are being read", retryAfterSeconds: 1);
    public static readonly ProblemType KeysUnsupported =
        new("keys-unsupported", 501, "Not published: the backplane cannot publish with idempotency keys");
    public static readonly ProblemType RestrictionsUnsupported =
        new("restrictions-unsupported", 501, "Nothing changed: the backplane cannot keep bans and mutes");
    public static readonly ProblemType BackplaneAway = new("backplane-away", 503, "Not published: the backplane is unavailable", retryAfterSeconds: 1);
    public static readonly ProblemType NotConfirmed = new("not-confirmed", 503, "The backplane did not confirm in time", retryAfterSeconds: 1);
    public static readonly ProblemType CountsAway = new("counts-away", 503, "The counts are unavailable", retryAfterSeconds: 1);
    public static readonly ProblemType HistoryAway = new("history-away", 503, "The room's messages are unavailable", retryAfterSeconds: 1);

    private ProblemType(string name, int status, string title, int? retryAfterSeconds = null)
    {
        Uri = "/problems/" + name;
        Reason = name.Replace('-', '_');
        Status = status;
        Title = title;
        RetryAfterSeconds = retryAfterSeconds;
    }

    /// <summary>All kinds.</summary>
    public static IReadOnlyList<ProblemType> All { get; } =
    [
        BadTarget, BadRoom, BadUser, BadQuery, BadBody, BadMessage, NoMessages, BadKey, Unauthorized, ForbiddenScope, ForbiddenRoom, Outside, CrossSite, BadHost,
        NotFound, NoHistory, MethodNotAllowed, BodyTimeout, TooManyRestrictions, BodyTooLarge, MessageTooLarge, TooManyMessages, TooManyRooms, UnsupportedType,
        KeyReused, RateLimited, TooMuchPending, TooManyReads, KeysUnsupported, RestrictionsUnsupported, BackplaneAway, NotConfirmed, CountsAway, HistoryAway,
    ];

    /// <summary>The <c>type</c> member: a relative reference, the same on every host.</summary>
    public string Uri { get; }

    /// <summary>The kind as a metric's <c>reason</c>.</summary>
    public string Reason { get; }

    /// <summary>The HTTP status.</summary>
    public int Status { get; }

    /// <summary>The kind in words.</summary>
    public string Title { get; }

    /// <summary>The value of Retry-After for temporary problems; otherwise null.</summary>
    public int? RetryAfterSeconds { get; }
}
