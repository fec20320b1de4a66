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

    /// <summary>The request is not one that its path accepts, a WebSocket handshake for example: 400, 405 or 426.</summary>
    Handshake,
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

    /// <summary>The client kept sending after the node had begun to refuse its messages.</summary>
    public static readonly CloseReason RateLimited = new("rate_limited", 4029, "too many messages");

    /// <summary>
    /// An unhandled exception while the node served this client. The state of its stream is unknown, so there is no close frame.
    /// </summary>
    public static readonly CloseReason Failed = new("failed");

    /// <summary>Every reason, in the order of the metric's series.</summary>
    public static readonly IReadOnlyList<CloseReason> All =
        [Client, Lost, Silent, Draining, ProtocolError, Binary, BadUtf8, BadDeflate, TooBig, TooSlow, OutboxTotal, RateLimited, Failed];

    /// <summary>The reason for a client that broke a rule of RFC 6455 or RFC 7692.</summary>
    public static CloseReason Of(Violation violation) => (violation.Code switch
    {
        Violation.UnsupportedData => Binary,
        Violation.InvalidPayload when violation == Violation.BadDeflate => BadDeflate,
        Violation.InvalidPayload => BadUtf8,
        Violation.MessageTooBig => TooBig,
        _ => ProtocolError,
    }).Because(violation.Text);

    /// <summary>The same reason with a text for one connection.</summary>
    public CloseReason Because(string text) => this with { Text = text };

    /// <summary>The same reason with a hint to reconnect, of whole milliseconds; the text becomes <c>retry=milliseconds</c>.</summary>
    public CloseReason Retrying(int milliseconds) =>
        this with { Text = $"retry={milliseconds}", RetryAfter = TimeSpan.FromMilliseconds(milliseconds) };

    /// <summary>Whether the reasons are the same; their texts may differ.</summary>
    public bool Equals(CloseReason? other) => Label == other?.Label;

    public override int GetHashCode() => Label.GetHashCode(StringComparison.Ordinal);
}
