using System.Globalization;
using System.Text;
using PushBackplane;
using PushNode.WebSocket;

namespace PushNode.Messages;

/// <summary>The reasons of a GAP; docs/protocol.md explains them to clients.</summary>
internal static class GapReason
{
    /// <summary>The client reads too slowly; the node dropped its oldest frames.</summary>
    public const string Slow = "slow";

    /// <summary>The node is overloaded; it dropped the room's oldest messages for all members.</summary>
    public const string Overload = "overload";

    /// <summary>An unhandled exception: the node dropped the room's waiting messages.</summary>
    public const string Failed = "failed";

    /// <summary>The node lost its backplane; it does not know how many messages it missed.</summary>
    public const string Backplane = "backplane";
}

/// <summary>
/// Makes the frames for one room's members: JOINED, PUSH and GAP. The parts that all of them share are made once, when the room opens.
/// Any thread.
/// </summary>
internal sealed class RoomFrames
{
    /// <summary>An upper bound for the length of a PUSH as JSON, in any framing, without its items and commas.</summary>
    public const int MaxOverhead = 1024;

    private readonly byte[] _pushPrefix;
    private readonly string _gapPrefix;
    private readonly string _data;
    private readonly Batch _joined;

    /// <param name="room">The room; null for broadcasts, whose frames have no room.</param>
    public RoomFrames(RoomId? room)
    {
        _data = room is { } id ? $"\"room\":\"{JsonText.Escape(id.ToString())}\"" : "";
        var member = room is null ? "" : $"{_data},";
        _pushPrefix = Encoding.UTF8.GetBytes($$"""{"type":"PUSH","data":{{{member}}"items":[""");
        _gapPrefix = $$"""{"type":"GAP","data":{{{member}}""";
        _joined = new Batch(Json(JoinedText("")));
    }

    private static ReadOnlySpan<byte> PushSuffix => "]}}"u8;

    /// <summary>Answers a JOIN; the first frame of the room that a member gets.</summary>
    /// <param name="variant">The member's variant.</param>
    /// <param name="id">The request's id as raw JSON; null if it has none, as for all rooms of a URL.</param>
    public Frame Joined(Variant variant, string? id) =>
        id is null ? _joined.For(variant) : Framing.Of(variant).Encode(JoinedText($"\"id\":{id},"));

    /// <summary>Messages for all members: their bytes unchanged and in order.</summary>
    /// <param name="messages">JSON texts.</param>
    public Batch Push(IReadOnlyCollection<ReadOnlyMemory<byte>> messages) => new(EncodePush(messages));

    /// <summary>Tells all members that messages were lost.</summary>
    /// <param name="missed">How many; null if unknown.</param>
    /// <param name="reason">One of <see cref="GapReason"/>.</param>
    public Batch Gap(long? missed, string reason) => new(Json(GapText(missed, reason), missed));

    /// <summary>Tells one member that messages were lost.</summary>
    /// <param name="variant">The member's variant.</param>
    /// <param name="missed">How many; null if unknown.</param>
    /// <param name="reason">One of <see cref="GapReason"/>.</param>
    public Frame Gap(Variant variant, long? missed, string reason) => Framing.Of(variant).Encode(GapText(missed, reason), missed);

    private static Frame Json(string text, long? loss = 0) => Framing.Of(Variant.Json).Encode(text, loss);

    private Frame EncodePush(IReadOnlyCollection<ReadOnlyMemory<byte>> messages)
    {
        var length = _pushPrefix.Length + messages.Sum(message => message.Length) + messages.Count - 1 + PushSuffix.Length;
        var bytes = FrameWriter.Write(Opcode.Text, length, (_pushPrefix, messages), static (payload, push) =>
        {
            push._pushPrefix.CopyTo(payload);
            var at = push._pushPrefix.Length;
            foreach (var message in push.messages)
            {
                message.Span.CopyTo(payload[at..]);
                at += message.Length;
                payload[at++] = (byte)',';
            }

            // Overwrites the last comma.
            PushSuffix.CopyTo(payload[(at - 1)..]);
        });
        return new Frame(bytes, messages.Count, messages.Count);
    }

    private string JoinedText(string echo) => $$$"""{"type":"JOINED",{{{echo}}}"data":{{{{_data}}}}}""";

    private string GapText(long? missed, string reason)
    {
        var count = missed is { } known ? known.ToString(CultureInfo.InvariantCulture) : "null";
        return $$$"""{{{_gapPrefix}}}"missed":{{{count}}},"reason":"{{{reason}}}"}}""";
    }
}
