namespace PushNode.Connections;

/// <summary>
/// Why a connection ended: the one catalogue of close codes, their text for the client, and the label in push_connections_closed_total.
/// docs/protocol.md says what a client should do about each.
/// </summary>
/// <param name="Label">The metric's label value.</param>
/// <param name="Code">The WebSocket close code; null when no close frame is sent.</param>
/// <param name="Text">The close frame's reason.</param>
internal sealed record CloseReason(string Label, ushort? Code = null, string Text = "")
{
    /// <summary>The client closed; its own code is echoed.</summary>
    public static readonly CloseReason Client = new("client");

    /// <summary>The connection broke or ended without a close frame.</summary>
    public static readonly CloseReason Lost = new("lost");

    /// <summary>Nothing came from the client for too long, not even an answer to pings. Nobody is there to read a close frame.</summary>
    public static readonly CloseReason Silent = new("silent");

    /// <summary>The node goes away; the text is set per connection to a jittered <c>retry=milliseconds</c>.</summary>
    public static readonly CloseReason Draining = new("draining", 1001, "retry=1000");

    /// <summary>The client broke RFC 6455.</summary>
    public static readonly CloseReason ProtocolError = new("protocol_error", 1002, "protocol error");

    /// <summary>The client sent a binary message.</summary>
    public static readonly CloseReason Binary = new("binary", 1003, "text messages only");

    /// <summary>The client sent text that is not UTF-8.</summary>
    public static readonly CloseReason BadUtf8 = new("bad_utf8", 1007, "text is not UTF-8");

    /// <summary>The client sent a message over the inbound limit, all its fragments added up.</summary>
    public static readonly CloseReason TooBig = new("too_big", 1009, "message over the limit");

    /// <summary>The client took its frames too slowly, or none at all.</summary>
    public static readonly CloseReason TooSlow = new("slow", 4008, "too slow");

    /// <summary>All outboxes together held too much, and this client's was among the largest.</summary>
    public static readonly CloseReason OutboxTotal = new("outbox_total", 4008, "too slow");

    /// <summary>The client went on sending after its messages were refused because they were too many.</summary>
    public static readonly CloseReason RateLimited = new("rate_limited", 4029, "too many messages");

    /// <summary>A bug: an exception while this client was served. The state of its stream is unknown, so there is no close frame.</summary>
    public static readonly CloseReason Failed = new("failed");

    /// <summary>Every reason, in the order of the metric's series.</summary>
    public static readonly IReadOnlyList<CloseReason> All = [Client, Lost, Silent, Draining, ProtocolError, Binary, BadUtf8, TooBig, TooSlow, OutboxTotal, RateLimited, Failed];

    /// <summary>The same reason with a sentence that says what was wrong here.</summary>
    public CloseReason Because(string text) => this with { Text = text };
}
