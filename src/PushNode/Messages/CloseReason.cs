using PushNode.WebSocket;

namespace PushNode.Messages;

/// <summary>Why the node refuses an upgrade (push_connections_refused_total).</summary>
internal enum Refusal
{
    /// <summary>The node is at its connection limit: 503.</summary>
    Full,

    /// <summary>The node is draining: 503.</summary>
    Draining,

    /// <summary>Pages of this origin may not connect: 403.</summary>
    Origin,

    /// <summary>The token of a client that is told by a status is missing or not accepted: 401. A WebSocket is opened and closed with 4001.</summary>
    Token,

    /// <summary>The node has no keys for tokens yet: 503.</summary>
    NoKeys,

    /// <summary>The user of a client that is told by a status is banned: 403. A WebSocket is opened and closed with 4003.</summary>
    Banned,

    /// <summary>The user of such a client has all the connections that one may have: 429.</summary>
    UserFull,

    /// <summary>The request is not one that its path accepts, a WebSocket handshake for example: 400, 405 or 426.</summary>
    Handshake,

    /// <summary>The client's address has all the connections that one may have: 429.</summary>
    AddressFull,

    /// <summary>The client's address makes too many handshakes: 429.</summary>
    AddressRate,

    /// <summary>The node has too many handshakes: 503.</summary>
    NodeRate,
}

/// <summary>
/// Why a connection ended: the catalogue of close codes, their texts, and the label in push_connections_closed_total. docs/protocol.md
/// tells clients what to do about each.
/// </summary>
/// <param name="Label">The metric's label value.</param>
/// <param name="Code">The WebSocket close code; null if the node sends no close frame.</param>
/// <param name="Text">The close frame's reason.</param>
/// <param name="RetryAfter">When the client should reconnect; null to leave it to the client.</param>
internal sealed record CloseReason(string Label, ushort? Code = null, string Text = "", TimeSpan? RetryAfter = null)
{
    /// <summary>The client closed; the node echoes its code. Of a client without close frames: it has ended the connection in order.</summary>
    public static readonly CloseReason Client = new("client");

    /// <summary>The connection broke or ended without a close frame.</summary>
    public static readonly CloseReason Lost = new("lost");

    /// <summary>The client was silent for too long, even after a ping. It would not read a close frame.</summary>
    public static readonly CloseReason Silent = new("silent");

    /// <summary>The node drains. <see cref="Retrying"/> gives each connection its own hint.</summary>
    public static readonly CloseReason Draining = new("draining", 1001);

    /// <summary>The client broke RFC 6455.</summary>
    public static readonly CloseReason ProtocolError = new("protocol_error", 1002);

    /// <summary>The client sent a binary message.</summary>
    public static readonly CloseReason Binary = new("binary", 1003);

    /// <summary>The client sent text that is not UTF-8.</summary>
    public static readonly CloseReason BadUtf8 = new("bad_utf8", 1007);

    /// <summary>The client sent a deflated message that cannot be inflated.</summary>
    public static readonly CloseReason BadDeflate = new("bad_deflate", 1007);

    /// <summary>The client sent a message over the limit, the sum of its fragments.</summary>
    public static readonly CloseReason TooBig = new("too_big", 1009);

    /// <summary>The client reads too slowly, or not at all.</summary>
    public static readonly CloseReason TooSlow = new("slow", 4008, "too slow");

    /// <summary>All outboxes together held too much, and this client's was among the largest.</summary>
    public static readonly CloseReason OutboxTotal = new("outbox_total", 4008, "too slow");

    /// <summary>The client needs a token and has given none.</summary>
    public static readonly CloseReason TokenMissing = new("token_missing", 4001, TokenVerdict.Missing.Text());

    /// <summary>The client's token is not accepted.</summary>
    public static readonly CloseReason TokenInvalid = new("token_invalid", 4001, "token invalid");

    /// <summary>The client's token has expired.</summary>
    public static readonly CloseReason TokenExpired = new("token_expired", 4001, TokenVerdict.Expired.Text());

    /// <summary>The node is at its room limit, and a user's connection needs a room of its own.</summary>
    public static readonly CloseReason RoomsFull = new("rooms_full", 1013, "the node is at its room limit");

    /// <summary>The user may not have more connections to this node.</summary>
    public static readonly CloseReason UserLimit = new("user_limit", 1013, "too many connections of this user");

    /// <summary>The user is banned. <see cref="Banned"/> gives the reason.</summary>
    public static readonly CloseReason UserBanned = new("banned", 4003, "banned");

    /// <summary>An operator has disconnected the user. <see cref="DisconnectedFor"/> gives the reason.</summary>
    public static readonly CloseReason Disconnected = new("disconnected", 4009, "disconnected");

    /// <summary>The client kept sending after the node had begun to refuse its messages.</summary>
    public static readonly CloseReason RateLimited = new("rate_limited", 4029, "too many messages");

    /// <summary>
    /// An unhandled exception while the node served this client. The state of its stream is unknown, so there is no close frame.
    /// </summary>
    public static readonly CloseReason Failed = new("failed");

    /// <summary>Every reason, in the order of the metric's series.</summary>
    public static readonly IReadOnlyList<CloseReason> All =
        [Client, Lost, Silent, Draining, ProtocolError, Binary, BadUtf8, BadDeflate, TooBig, TooSlow, OutboxTotal, RoomsFull, UserLimit, UserBanned, Disconnected, TokenMissing, TokenInvalid, TokenExpired, RateLimited, Failed];

    /// <summary>The reason for a client that broke a rule of RFC 6455 or RFC 7692.</summary>
    public static CloseReason Of(Violation violation) => (violation.Code switch
    {
        Violation.UnsupportedData => Binary,
        Violation.InvalidPayload when violation == Violation.BadDeflate => BadDeflate,
        Violation.InvalidPayload => BadUtf8,
        Violation.MessageTooBig => TooBig,
        _ => ProtocolError,
    }).Because(violation.Text);

    /// <summary>The reason for a client whose token is not accepted, or missing.</summary>
    public static CloseReason Of(TokenVerdict verdict) => verdict switch
    {
        TokenVerdict.Missing => TokenMissing,
        TokenVerdict.Expired => TokenExpired,
        _ => TokenInvalid.Because(verdict.Text()),
    };

    /// <summary>A ban with the operator's reason, null if there is none.</summary>
    public static CloseReason Banned(string? why) => why is null ? UserBanned : UserBanned.Because($"banned: {why}");

    /// <summary>A disconnection with the operator's reason, null if there is none.</summary>
    public static CloseReason DisconnectedFor(string? why) => why is null ? Disconnected : Disconnected.Because(why);

    /// <summary>The same reason with a text for one connection.</summary>
    public CloseReason Because(string text) => this with { Text = text };

    /// <summary>The same reason with a hint to reconnect, of whole milliseconds; the text becomes <c>retry=milliseconds</c>.</summary>
    public CloseReason Retrying(int milliseconds) =>
        this with { Text = $"retry={milliseconds}", RetryAfter = TimeSpan.FromMilliseconds(milliseconds) };

    /// <summary>Whether the reasons are the same; their texts may differ.</summary>
    public bool Equals(CloseReason? other) => Label == other?.Label;

    public override int GetHashCode() => Label.GetHashCode(StringComparison.Ordinal);
}
