using System.Text.Json;
using PushApi.Problems;
using PushBackplane;

namespace PushApi.Requests;

/// <summary><c>{"rooms":["a","b"],"items":[...]}</c>: every item to every room. Both are required, nothing else is taken.</summary>
internal static class RoomsAndItemsBody
{
    private const string Rooms = "rooms";
    private const string Shape = """{"rooms":["a","b"],"items":[...]}""";

    /// <summary>Reads the body.</summary>
    public static Problem? Read(Memory<byte> body, PublishRequest request)
    {
        if (Utf8Check.Find(body.Span, Place.Body) is { } notUtf8)
            return notUtf8;

        // The object and the array around a message are two levels of their own.
        var reader = new Utf8JsonReader(body.Span, new JsonReaderOptions { MaxDepth = MessagePayload.MaxDepth + 2 });
        try
        {
            return Read(ref reader, body, request);
        }
        catch (JsonException fault)
        {
            return new Problem(
                ProblemType.BadBody,
                $"The body is not JSON, or holds a message of more than {MessagePayload.MaxDepth} levels{JsonFault.Where(fault)}. Nothing was published.");
        }
    }

    private static Problem? Read(ref Utf8JsonReader reader, Memory<byte> body, PublishRequest request)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            return Bad($"The body is not an object; this route takes {Shape}.", field: null);

        bool hasRooms = false, hasItems = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (!TryGetText(ref reader, out var field) || field is not (Rooms or JsonItems.Field))
                return Bad($"The body has a property {Quote.Text(field)}; this route takes {Shape}.", field: null);

            var isRooms = field == Rooms;
            if (isRooms ? hasRooms : hasItems)
                return Bad($"The body has {field} twice.", field);
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartArray)
                return Bad($"{field} is not an array; this route takes {Shape}.", field);
            if ((isRooms ? ReadRooms(ref reader, request) : JsonItems.Read(ref reader, body, request)) is { } problem)
                return problem;

            hasRooms |= isRooms;
            hasItems |= !isRooms;
        }

        // Throws when something follows the object.
        reader.Read();
        if (!hasRooms || !hasItems)
        {
            var missing = hasRooms ? JsonItems.Field : Rooms;
            return Bad($"{missing} is missing; this route takes {Shape}.", missing);
        }
        return null;
    }

    private static Problem? ReadRooms(ref Utf8JsonReader reader, PublishRequest request)
    {
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var place = Place.AtItem(Rooms, request.Rooms.Count);
            if (reader.TokenType != JsonTokenType.String)
                return new Problem(ProblemType.BadRoom, $"{place} is not a string.") { Field = Rooms, Item = place.Item };

            if (!TryGetText(ref reader, out var name))
                return new Problem(ProblemType.BadRoom, $"{place} has half a surrogate pair as an escape, which is no character.") { Field = Rooms, Item = place.Item };
            if (!RoomId.TryParse(name, out var room, out var error))
                return new Problem(ProblemType.BadRoom, $"{place} {error}. Nothing was published.") { Field = Rooms, Item = place.Item };
            if (request.AddRoom(room, place) is { } problem)
                return problem;
        }

        return request.Rooms.Count == 0
            ? Bad($"{Rooms} is empty; it has to name at least one room.", Rooms)
            : null;
    }

    private static bool TryGetText(ref Utf8JsonReader reader, out string text)
    {
        try
        {
            text = reader.GetString() ?? "";
            return true;
        }
        catch (InvalidOperationException)
        {
            // Expected: an escape like \ud800 alone is JSON, but no text; the reader has no other way to say so.
            text = "\uFFFD";
            return false;
        }
    }

    private static Problem Bad(string detail, string? field) => new(ProblemType.BadBody, detail + " Nothing was published.") { Field = field };
}
