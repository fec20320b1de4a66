using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using PushBackplane;

namespace PushNode.Framing;

/// <summary>
/// Encodes what the members of one room get. Everything that is the same in each of the room's frames is encoded once,
/// when the room opens. Immutable; any thread.
/// </summary>
internal sealed class RoomFrames
{
    /// <summary>More than any frame of a room is longer than its items and the commas between them.</summary>
    public const int MaxOverhead = 1024;

    private readonly byte[] _pushPrefix;
    private readonly string _gapPrefix;
    private readonly string _data;
    private readonly Frame _joined;

    /// <param name="room">The room; null for broadcasts, whose frames name none.</param>
    public RoomFrames(RoomId? room)
    {
        _data = room is { } id ? $"\"room\":\"{JsonEncodedText.Encode(id.ToString(), JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"" : "";
        var member = room is null ? "" : $"{_data},";
        _pushPrefix = Encoding.UTF8.GetBytes($$"""{"type":"PUSH","data":{{{member}}"items":[""");
        _gapPrefix = $$"""{"type":"GAP","data":{{{member}}""";
        _joined = EncodeJoined("");
    }

    /// <summary>Answers a JOIN: the first that a member gets.</summary>
    /// <param name="id">The request's id as raw JSON; null when it has none, as all rooms of URLs have.</param>
    public Frame Joined(string? id) => id is null ? _joined : EncodeJoined($"\"id\":{id},");

    /// <summary>All of a batch in one frame, the messages' bytes untouched and in order.</summary>
    public Frame Push(IReadOnlyCollection<ReadOnlyMemory<byte>> messages)
    {
        var length = _pushPrefix.Length + messages.Sum(message => message.Length) + messages.Count - 1 + PushSuffix.Length;
        return ServerFrame.Create(Opcode.Text, length, messages.Count, messages.Count, (_pushPrefix, messages), static (payload, batch) =>
        {
            batch._pushPrefix.CopyTo(payload);
            var at = batch._pushPrefix.Length;
            foreach (var message in batch.messages)
            {
                message.Span.CopyTo(payload[at..]);
                at += message.Length;
                payload[at++] = (byte)',';
            }

            // In the place of the last comma.
            PushSuffix.CopyTo(payload[(at - 1)..]);
        });
    }

    /// <summary>Tells a member that it misses messages.</summary>
    /// <param name="missed">How many; null when nobody knows.</param>
    /// <param name="reason">One of <see cref="GapReason"/>.</param>
    public Frame Gap(long? missed, string reason)
    {
        var count = missed is { } known ? known.ToString(CultureInfo.InvariantCulture) : "null";
        return ServerFrame.Create(Opcode.Text, Encoding.UTF8.GetBytes($$$"""{{{_gapPrefix}}}"missed":{{{count}}},"reason":"{{{reason}}}"}}"""), missed);
    }

    private Frame EncodeJoined(string echo) => ServerFrame.Create(Opcode.Text, Encoding.UTF8.GetBytes($$$"""{"type":"JOINED",{{{echo}}}"data":{{{{_data}}}}}"""));

    private static ReadOnlySpan<byte> PushSuffix => "]}}"u8;
}
