using System.Text.Json;
using PushApi.Problems;
using PushBackplane;

namespace PushApi.Requests;

/// <summary><c>{"rooms":["a","b"],"items":[...]}</c>: every item to every room. Both are required, other properties are refused.</summary>
internal static class RoomsAndItemsBody
{
    private const string Rooms = "rooms";
    private const string Shape = """{"rooms":["a","b"],"items":[...]}""";

    /// <summary>Reads the body. Returns what is wrong, or null.</summary>
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
        catch (JsonException e)
        {
            return Bad($"The body is not JSON, or holds a message of more than {MessagePayload.MaxDepth} levels{Place.In(e)}.");
        }
    }

    private static Problem? Read(ref Utf8JsonReader reader, Memory<byte> body, PublishRequest request)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            return Bad($"The body is not an object; this route accepts {Shape}.");

        bool hasRooms = false, hasItems = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (!TryGetText(ref reader, out var field) || field is not (Rooms or JsonItems.Field))
                return Bad($"The body has a property {Problem.Quote(field)}; this route accepts {Shape}.");

            var isRooms = field == Rooms;
            if (isRooms ? hasRooms : hasItems)
                return Bad($"The body has {field} twice.", field);
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartArray)
                return Bad($"{field} is not an array; this route accepts {Shape}.", field);
            if ((isRooms ? ReadRooms(ref reader, request) : JsonItems.Read(ref reader, body, request)) is { } problem)
                return problem;

            hasRooms |= isRooms;
            hasItems |= !isRooms;
        }

        // Throws if anything follows the object.
        reader.Read();
        if (!hasRooms || !hasItems)
        {
            var missing = hasRooms ? JsonItems.Field : Rooms;
            return Bad($"{missing} is missing; this route accepts {Shape}.", missing);
        }
        return null;
    }

    private static Problem? ReadRooms(ref Utf8JsonReader reader, PublishRequest request)
    {
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var place = Place.AtItem(Rooms, request.Rooms.Count);
            if (reader.TokenType != JsonTokenType.String)
                return BadRoom(place, "is not a string");
            if (!TryGetText(ref reader, out var name))
                return BadRoom(place, "has half a surrogate pair as an escape, which is not a character");
            if (!RoomId.TryParse(name, out var room, out var error))
                return BadRoom(place, error);
            if (request.AddRoom(room, place) is { } problem)
                return problem;
        }

        return request.Rooms.Count == 0
            ? Bad($"{Rooms} is empty; it must name at least one room.", Rooms)
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
            // Expected: an escape like \ud800 alone is valid JSON but not text, and the reader only reports that by throwing.
            text = "\uFFFD";
            return false;
        }
    }

    private static Problem Bad(string fault, string? field = null) => new(ProblemType.BadBody, fault, Place.AtField(field));

    private static Problem BadRoom(Place place, string fault) => new(ProblemType.BadRoom, $"{place} {fault}.", place);
}
