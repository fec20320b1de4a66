using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using RedisPush.Shared;

namespace RedisPush.Client;

/// <summary>
/// What a subscription brings, in order: a <see cref="PushMessage"/>, a <see cref="PushGap"/> where messages are missing, a <see cref="PushJoined"/>
/// where the client has asked to continue, or, if it was asked for, a <see cref="PushOnline"/>.
/// </summary>
public abstract class PushEvent
{
    private protected PushEvent()
    {
    }

    /// <summary>What it counts in a buffer: its bytes, and roughly the objects around them.</summary>
    internal abstract long Size { get; }

    /// <summary>Where a reader is after it; null if that does not change.</summary>
    internal virtual PushPosition? After => null;
}

/// <summary>One message: one JSON value, with exactly the bytes that were published.</summary>
public sealed class PushMessage : PushEvent
{
    private const int Overhead = 64;

    internal PushMessage(ReadOnlyMemory<byte> json, PushPosition? position) => (Json, Position) = (json, position);

    /// <summary>
    /// The JSON in UTF-8. A slice of its batch: copy a message that you keep, or the whole batch stays in memory.
    /// </summary>
    public ReadOnlyMemory<byte> Json { get; }

    /// <summary>Where the message stands in the room's history; null unless the room has one.</summary>
    public PushPosition? Position { get; }

    internal override long Size => Json.Length + Overhead;

    internal override PushPosition? After => Position ?? FrameEnd;

    /// <summary>Of the last message of a frame in which only some have positions: the position behind the frame.</summary>
    internal PushPosition? FrameEnd { get; set; }

    /// <summary>The message as an object, by source-generated metadata.</summary>
    /// <exception cref="JsonException">The message is not such an object.</exception>
    public T? Deserialize<T>(JsonTypeInfo<T> type) => JsonSerializer.Deserialize(Json.Span, type);

    /// <summary>The message as an element that lives on its own.</summary>
    public JsonElement ToElement()
    {
        var reader = new Utf8JsonReader(Json.Span, new JsonReaderOptions { MaxDepth = JsonItem.MaxDepth });
        return JsonElement.ParseValue(ref reader);
    }

    /// <summary>The JSON as text.</summary>
    public override string ToString() => Encoding.UTF8.GetString(Json.Span);
}

/// <summary>
/// Messages are missing here. A subscriber that must not miss anything loads the current state from elsewhere; one that only shows a stream
/// may go on.
/// </summary>
public sealed class PushGap : PushEvent
{
    internal PushGap(long? missed, string reason, PushPosition? from = null, PushPosition? to = null) =>
        (Missed, Reason, From, To) = (missed, reason, from, to);

    /// <summary>How many messages are missing; null if nobody knows, and then it may be none.</summary>
    public long? Missed { get; }

    /// <summary>One of <see cref="GapReason"/>, or a reason that a newer server has.</summary>
    public string Reason { get; }

    /// <summary>The position before the first missing message; null unless the room has a history.</summary>
    public PushPosition? From { get; }

    /// <summary>The position of the last missing message, after which the room goes on; null unless the room has a history.</summary>
    public PushPosition? To { get; }

    internal override long Size => 64 + (2L * Reason.Length);

    internal override PushPosition? After => To;

    /// <summary>"gap of 3 (slow)".</summary>
    public override string ToString() => $"gap of {Missed?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "unknown size"} ({Reason})";
}

/// <summary>
/// How many members the room has now, in the whole farm: connections, not users. Comes only with <see cref="JoinOptions.Online"/>, when the room is
/// joined and with messages after the number has changed.
/// </summary>
public sealed class PushOnline : PushEvent
{
    internal PushOnline(long count) => Count = count;

    /// <summary>The number of connections in the room.</summary>
    public long Count { get; }

    internal override long Size => 64;

    /// <summary>"12 online".</summary>
    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Count} online");
}

/// <summary>
/// The room is joined, and the client had asked to continue: at <see cref="JoinOptions.Since"/>, or after a reconnect. Only rooms of servers that know
/// histories have it; the first JOINED without <see cref="JoinOptions.Since"/> is the end of <see cref="RedisPushClient.JoinAsync"/>.
/// </summary>
public sealed class PushJoined : PushEvent
{
    internal PushJoined(bool recovered) => Recovered = recovered;

    /// <summary>
    /// Nothing is missing: what was missed follows. Otherwise a <see cref="PushGap"/> follows, or, with <see cref="JoinOptions.Heal"/>, what the history
    /// still has.
    /// </summary>
    public bool Recovered { get; }

    internal override long Size => 64;

    /// <summary>"joined, recovered".</summary>
    public override string ToString() => Recovered ? "joined, recovered" : "joined, not recovered";
}

/// <summary>Why messages are missing. The first six come from the server (docs/protocol.md), the others from this client.</summary>
public static class GapReason
{
    /// <summary>This client read its connection too slowly.</summary>
    public const string Slow = "slow";

    /// <summary>The node could not keep up with the room.</summary>
    public const string Overload = "overload";

    /// <summary>An internal error of the node.</summary>
    public const string Failed = "failed";

    /// <summary>The node was cut off from Redis.</summary>
    public const string Backplane = "backplane";

    /// <summary>The room's history was too short for what the node or the client had missed.</summary>
    public const string History = "history";

    /// <summary>Redis has lost messages, or all of the room's history: its positions begin anew.</summary>
    public const string Epoch = "epoch";

    /// <summary>The connection was lost and is back, and the server could not recover what was published meanwhile.</summary>
    public const string Reconnected = "reconnected";

    /// <summary>The positions of two messages in a row say that others were between them.</summary>
    public const string Hole = "hole";

    /// <summary>A message of the server could not be read, and nobody knows what was in it.</summary>
    public const string Unreadable = "unreadable";

    /// <summary>The subscription's reader did not keep up, and the oldest messages were dropped from its buffer.</summary>
    public const string Reader = "reader";
}
