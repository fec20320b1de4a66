using System.Globalization;
using System.Text;
using PushBackplane;
using PushBackplane.History;
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

    /// <summary>The node missed messages, and the room's history was too short to bring them back.</summary>
    public const string History = "history";

    /// <summary>The room's history began anew: Redis has lost its memory.</summary>
    public const string Epoch = "epoch";
}

/// <summary>The last GAP of a room, for the node's page.</summary>
/// <param name="At">When it was made.</param>
/// <param name="Missed">The number of messages lost; null if unknown.</param>
/// <param name="Reason">One of <see cref="GapReason"/>.</param>
internal sealed record RoomGap(DateTimeOffset At, long? Missed, string Reason);

/// <summary>
/// Makes the frames for the members of one topic: JOINED, PUSH and GAP. The parts that all of them share are made once, when the room opens.
/// Any thread.
/// </summary>
internal sealed class RoomFrames
{
    /// <summary>An upper bound for the length of a PUSH as JSON, in any framing, without its items and commas.</summary>
    public const int MaxOverhead = 1024;

    private const string Items = "\"items\":[";

    private readonly byte[] _pushPrefix;
    private readonly int _itemsAt;
    private readonly string _gapPrefix;
    private readonly string _data;
    private readonly Batch _joined;
    private readonly TimeProvider _time;
    private volatile RoomGap? _lastGap;
    private OnlineNotice? _online;

    /// <param name="topic">The topic, which the frames name: <c>"room":"demo"</c>, <c>"user":"alice"</c>, or nothing for broadcasts.</param>
    /// <param name="time">The clock.</param>
    public RoomFrames(Topic topic, TimeProvider? time = null)
    {
        _time = time ?? TimeProvider.System;
        _data = topic.RoomId is { } room ? Member("room", room.ToString())
            : topic.UserId is { } user ? Member("user", user.ToString())
            : "";
        var member = topic == Topic.All ? "" : $"{_data},";
        var begin = $$"""{"type":"PUSH","data":{{{member}}""";
        _pushPrefix = Encoding.UTF8.GetBytes($"{begin}{Items}");
        _itemsAt = _pushPrefix.Length - Items.Length;
        _gapPrefix = $$"""{"type":"GAP","data":{{{member}}""";
        _joined = new Batch(Framing.Of(Variant.Json).Encode(JoinedText("")));
    }

    /// <summary>The last GAP, to all members or to a slow one; null if there was none since the room opened.</summary>
    public RoomGap? LastGap => _lastGap;

    /// <summary>The farm's members, for those who asked; null before the first.</summary>
    public OnlineNotice? Online => Volatile.Read(ref _online);

    private static string Member(string name, string value) => $"\"{name}\":\"{JsonText.Escape(value)}\"";

    private static ReadOnlySpan<byte> PushSuffix => "]}}"u8;

    /// <summary>Answers a JOIN; the first frame of the room that a member gets.</summary>
    /// <param name="variant">The member's variant.</param>
    /// <param name="id">The request's id as raw JSON; null if it has none, as for all rooms of a URL.</param>
    /// <param name="online">The farm's members; null if the member has not asked, or if the number is unknown.</param>
    /// <param name="recovered">Whether it gets everything after the position that it gave; null if it gave none.</param>
    /// <param name="at">Where what follows begins; null in a room without positions.</param>
    public Frame Joined(Variant variant, string? id, int? online = null, bool? recovered = null, Position? at = null) =>
        id is null && online is null && recovered is null && at is null
            ? _joined.For(variant)
            : Framing.Of(variant).Encode(JoinedText(id is null ? "" : $"\"id\":{id},", online, recovered, at));

    /// <summary>Makes <see cref="Online"/>, unless it is made.</summary>
    public OnlineNotice AddOnline(Func<int> here) => Interlocked.CompareExchange(ref _online, new OnlineNotice(here, _time), null) ?? _online;

    /// <summary>Messages for all members: their bytes unchanged and in order.</summary>
    /// <param name="messages">The messages. Those with positions have no hole between them.</param>
    /// <param name="epoch">The epoch of their offsets; null in a room without positions.</param>
    /// <param name="sequence">The <see cref="FramePlace.Sequence"/>; null in a room that remembers nothing.</param>
    public Batch Push(IReadOnlyCollection<RoomMessage> messages, string? epoch = null, long? sequence = null)
    {
        var place = sequence is { } number ? new FramePlace(number) : null;
        if (epoch is null)
            return new Batch(EncodePush(messages, Prefix(""), place));
        var (positioned, last) = (0, 0L);
        foreach (var message in messages)
        {
            if (!message.IsPlain)
                (positioned, last) = (positioned + 1, message.Offset);
        }

        if (positioned == 0)
            return new Batch(EncodePush(messages, Prefix(""), place));
        var to = new Position(epoch, last);
        var some = positioned < messages.Count ? $"\"positioned\":{positioned}," : "";
        return new Batch(EncodePush(messages, Prefix($"{Members(to)},{some}"), place! with { From = to with { Offset = last - positioned }, To = to }));
    }

    /// <summary>Tells all members that messages were lost.</summary>
    /// <param name="missed">How many; null if unknown.</param>
    /// <param name="reason">One of <see cref="GapReason"/>.</param>
    /// <param name="place">Which messages, if they have positions; null in a room that remembers nothing.</param>
    public Batch Gap(long? missed, string reason, FramePlace? place = null) =>
        new(new Frame(Framing.Of(Variant.Json).Encode(Encoding.UTF8.GetBytes(GapText(missed, reason, place?.From, place?.To))), 0, missed, place));

    /// <summary>Tells one member that messages were lost.</summary>
    /// <param name="variant">The member's variant.</param>
    /// <param name="missed">How many; null if unknown.</param>
    /// <param name="reason">One of <see cref="GapReason"/>.</param>
    /// <param name="from">The position before what is missing; null if that has no positions.</param>
    /// <param name="to">The position behind what is missing.</param>
    public Frame Gap(Variant variant, long? missed, string reason, Position? from = null, Position? to = null) =>
        Framing.Of(variant).Encode(GapText(missed, reason, from, to), missed);

    private static string Members(Position position) => string.Create(CultureInfo.InvariantCulture, $"\"epoch\":\"{position.Epoch}\",\"offset\":{position.Offset}");

    private static Frame EncodePush(IReadOnlyCollection<RoomMessage> messages, byte[] prefix, FramePlace? place)
    {
        var length = prefix.Length + messages.Sum(message => message.Json.Length) + messages.Count - 1 + PushSuffix.Length;
        var bytes = FrameWriter.Write(Opcode.Text, length, (prefix, messages), static (payload, push) =>
        {
            push.prefix.CopyTo(payload);
            var at = push.prefix.Length;
            foreach (var message in push.messages)
            {
                message.Json.Span.CopyTo(payload[at..]);
                at += message.Json.Length;
                payload[at++] = (byte)',';
            }

            // Overwrites the last comma.
            PushSuffix.CopyTo(payload[(at - 1)..]);
        });
        return new Frame(bytes, messages.Count, messages.Count, place);
    }

    /// <summary>Everything before the items.</summary>
    /// <param name="members">Further members, with a comma behind each.</param>
    private byte[] Prefix(string members)
    {
        if (Online?.ForPush() is { } online)
            members = string.Create(CultureInfo.InvariantCulture, $"\"online\":{online},{members}");
        return members.Length == 0 ? _pushPrefix : [.. _pushPrefix.AsSpan(0, _itemsAt), .. Encoding.ASCII.GetBytes(members), .. _pushPrefix.AsSpan(_itemsAt)];
    }

    private string JoinedText(string echo, int? online = null, bool? recovered = null, Position? at = null)
    {
        var count = online is { } known ? string.Create(CultureInfo.InvariantCulture, $",\"online\":{known}") : "";
        var resumed = recovered is { } isWhole ? isWhole ? ",\"recovered\":true" : ",\"recovered\":false" : "";
        var place = at is { } position ? $",{Members(position)}" : "";
        return $$$"""{"type":"JOINED",{{{echo}}}"data":{{{{_data}}}{{{count}}}{{{resumed}}}{{{place}}}}}""";
    }

    private string GapText(long? missed, string reason, Position? from, Position? to)
    {
        _lastGap = new RoomGap(_time.GetUtcNow(), missed, reason);
        var count = missed is { } known ? known.ToString(CultureInfo.InvariantCulture) : "null";
        var range = from is { } first && to is { } last ? $$$""","from":{{{{Members(first)}}}},"to":{{{{Members(last)}}}}""" : "";
        return $$$"""{{{_gapPrefix}}}"missed":{{{count}}},"reason":"{{{reason}}}"{{{range}}}}}""";
    }
}
