using System.Text;
using System.Text.Json;
using PushApi.Problems;
using PushBackplane;

namespace PushApi.Requests;

/// <summary>
/// go-push's forms, <c>room=...&amp;items=[json,...]</c> and <c>items=[json,...]</c>. The framework's form reader is not used, because it
/// replaces bytes that are not UTF-8, and messages must arrive byte for byte.
/// </summary>
internal static class FormBody
{
    private const string Room = "room";
    private const string EncodingHint = "An & or % inside a value must be percent-encoded (curl: --data-urlencode).";

    /// <summary>Reads a form with a room and items. Returns what is wrong, or null.</summary>
    public static Problem? ReadRoom(Memory<byte> body, PublishRequest request) => Read(body, request, takesRoom: true);

    /// <summary>Reads a form with items for everybody. Returns what is wrong, or null.</summary>
    public static Problem? ReadBroadcast(Memory<byte> body, PublishRequest request) => Read(body, request, takesRoom: false);

    private static Problem? Read(Memory<byte> body, PublishRequest request, bool takesRoom)
    {
        bool hasRoom = false, hasItems = false;
        var form = new FormReader(body);
        while (form.TryReadField(out var name, out var value, out var error))
        {
            if (error is not null)
                return Bad(error);

            var isRoom = takesRoom && name.Span.SequenceEqual("room"u8);
            var isItems = name.Span.SequenceEqual("items"u8);
            if (!isRoom && !isItems)
            {
                return Bad(
                    $"The form has a field {Problem.Quote(Encoding.UTF8.GetString(name.Span))}; this route accepts {Shape(takesRoom)}. "
                    + EncodingHint);
            }

            var field = isRoom ? Room : JsonItems.Field;
            if (isRoom ? hasRoom : hasItems)
                return Bad($"The form has {field} twice.", field);
            if ((isRoom ? ReadRoomName(value, request) : ReadItems(value, request)) is { } problem)
                return problem;

            hasRoom |= isRoom;
            hasItems |= isItems;
        }

        if (takesRoom && !hasRoom)
            return Bad($"{Room} is missing; this route accepts {Shape(takesRoom)}.", Room);
        return hasItems ? null : Bad($"{JsonItems.Field} is missing; this route accepts {Shape(takesRoom)}.", JsonItems.Field);
    }

    private static string Shape(bool takesRoom) => takesRoom ? "room=...&items=[json,...]" : "items=[json,...]";

    private static Problem? ReadRoomName(ReadOnlyMemory<byte> value, PublishRequest request)
    {
        var place = Place.AtField(Room);
        return RoomId.TryParse(value.Span, out var room, out var error)
            ? request.AddRoom(room, place)
            : new Problem(ProblemType.BadRoom, $"{place} {error}.", place);
    }

    private static Problem? ReadItems(ReadOnlyMemory<byte> value, PublishRequest request)
    {
        if (Utf8Check.Find(value.Span, Place.AtField(JsonItems.Field)) is { } notUtf8)
            return notUtf8;

        // The array around a message is a level of its own.
        var reader = new Utf8JsonReader(value.Span, new JsonReaderOptions { MaxDepth = MessagePayload.MaxDepth + 1 });
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
                return Bad($"{JsonItems.Field} is not a JSON array of messages.", JsonItems.Field);
            if (JsonItems.Read(ref reader, value, request) is { } problem)
                return problem;
            // Throws if anything follows the array.
            reader.Read();
            return null;
        }
        catch (JsonException e)
        {
            return Bad(
                $"{JsonItems.Field} is not a JSON array, or holds a message of more than {MessagePayload.MaxDepth} levels{Place.In(e)}. {EncodingHint}",
                JsonItems.Field);
        }
    }

    private static Problem Bad(string fault, string? field = null) => new(ProblemType.BadBody, fault, Place.AtField(field));
}
