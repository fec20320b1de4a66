using System.Text.Json;
using PushBackplane;
using PushHosting.Status;
using PushNode.Messages;
using PushNode.Subscription;

namespace PushNode.Status;

/// <summary>
/// <c>/status/rooms</c>: the largest and busiest rooms; with <c>?room=</c> one room, and with <c>?all</c> what everybody gets. Names of rooms are
/// on this page only, never in a metric. Any thread.
/// </summary>
internal sealed class RoomsPart(Rooms rooms, TopRooms top, TimeProvider time) : IStatusPart
{
    private const string Parameter = "room=";
    private const string Everyone = "all";

    public string Name => "rooms";

    public StatusAnswer Answer(QueryString query)
    {
        string[] parameters = [.. (query.Value ?? "").TrimStart('?').Split('&').Where(parameter => parameter.Length > 0)];
        return parameters switch
        {
            [] => StatusAnswer.Ok(json => Write(json, top.Rank())),
            [Everyone] => StatusAnswer.Ok(json => Write(json, rooms.Everyone)),
            [var one] when one.StartsWith(Parameter, StringComparison.Ordinal) => Inspect(one[Parameter.Length..]),
            _ => StatusAnswer.Error(StatusCodes.Status400BadRequest, "This path accepts no parameter, room= with one room's name, or all."),
        };
    }

    private StatusAnswer Inspect(string escaped)
    {
        if (!RoomId.TryParseEscaped(escaped, plusIsSpace: true, out var id, out var problem))
            return StatusAnswer.Error(StatusCodes.Status400BadRequest, $"The room's name {problem}.");
        return rooms.Find(Topic.Room(id)) is { } room
            ? StatusAnswer.Ok(json => Write(json, room))
            : StatusAnswer.Ok(json => WriteAbsent(json, id));
    }

    /// <summary>Not an error: a page that watches a room goes on until somebody joins it.</summary>
    private static void WriteAbsent(Utf8JsonWriter json, RoomId id)
    {
        json.WriteString("room", id.ToString());
        json.WriteString("state", "absent");
        json.WriteNumber("members", 0);
    }

    private static void Write(Utf8JsonWriter json, RoomRanking ranking)
    {
        json.WriteNumber("rooms", ranking.Rooms);
        if (ranking.Over is { } over)
            json.WriteNumber("over", over.TotalSeconds);
        else
            json.WriteNull("over");
        Write(json, "members", ranking.Members);
        Write(json, "rates", ranking.Rates);
    }

    private static void Write(Utf8JsonWriter json, string name, IReadOnlyList<RankedRoom> ranked)
    {
        json.WriteStartArray(name);
        foreach (var room in ranked)
        {
            json.WriteStartObject();
            json.WriteString("room", room.Room);
            json.WriteNumber("members", room.Members);
            if (room.Rate is { } rate)
                json.WriteNumber("rate", rate);
            else
                json.WriteNull("rate");
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>Numbers since the room opened: the page's own looks make rates of them, so nothing is counted for it.</summary>
    private void Write(Utf8JsonWriter json, Room room)
    {
        json.WriteString("room", room.Topic.RoomId?.ToString());
        json.WriteString("channel", room.Channel.Name);
        json.WriteString("server", room.Channel.Home.Description);
        json.WriteString("state", JsonNamingPolicy.SnakeCaseLower.ConvertName(room.State.ToString()));
        json.WriteString("time", time.GetUtcNow());
        json.WriteNumber("members", room.Members.Count);
        json.WriteStartObject("variants");
        foreach (var variant in Enum.GetValues<Variant>())
            json.WriteNumber(JsonNamingPolicy.SnakeCaseLower.ConvertName(variant.ToString()), room.Members.CountOf(variant));
        json.WriteEndObject();
        json.WriteNumber("messages", room.Merged);
        json.WriteNumber("batches", room.Batches);
        json.WriteNumber("last_batch", room.LastMerged);
        Write(json, room.Frames.LastGap);
        WriteHistory(json, room);
    }

    /// <summary>What Redis keeps of the room, where the room stands, and what the node has of it.</summary>
    private static void WriteHistory(Utf8JsonWriter json, Room room)
    {
        if (room.History is not { } history)
        {
            json.WriteNull("history");
            return;
        }

        var (messages, bytes) = history.Size;
        json.WriteStartObject("history");
        json.WriteNumber("size", room.Policy.History?.Size ?? 0);
        json.WriteNumber("ttl", room.Policy.History?.Ttl.TotalSeconds ?? 0);
        json.WriteBoolean("reading", history.IsOpening);
        json.WriteString("epoch", history.Range?.End.Epoch);
        json.WriteNumber("start", history.Range?.Start.Offset ?? 0);
        json.WriteNumber("end", history.Range?.End.Offset ?? 0);
        json.WriteNumber("messages", messages);
        json.WriteNumber("bytes", bytes);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, RoomGap? gap)
    {
        if (gap is null)
        {
            json.WriteNull("gap");
            return;
        }

        json.WriteStartObject("gap");
        json.WriteString("at", gap.At);
        if (gap.Missed is { } missed)
            json.WriteNumber("missed", missed);
        else
            json.WriteNull("missed");
        json.WriteString("reason", gap.Reason);
        json.WriteEndObject();
    }
}
