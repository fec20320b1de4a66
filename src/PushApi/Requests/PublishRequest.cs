using PushApi.Access;
using PushApi.Problems;
using PushApi.Settings;
using PushBackplane;

namespace PushApi.Requests;

/// <summary>
/// The messages and rooms of a body, filled by the format that reads it. Enforces the limits on both, and which rooms the caller may use, for
/// all formats. Belongs to one request.
/// </summary>
internal sealed class PublishRequest(PushApiSettings settings, ApiCaller caller)
{
    private readonly List<ReadOnlyMemory<byte>> _messages = [];
    private readonly List<RoomId> _rooms = [];
    private readonly HashSet<RoomId> _named = [];

    /// <summary>The messages as JSON, most of them slices of the body.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Messages => _messages;

    /// <summary>The rooms that the body names; empty if the route itself names the target.</summary>
    public IReadOnlyList<RoomId> Rooms => _rooms;

    /// <summary>The sum of the messages' lengths.</summary>
    public long MessageBytes { get; private set; }

    /// <summary>Adds a message that is known to be JSON in valid UTF-8.</summary>
    /// <returns>What is wrong, or null.</returns>
    public Problem? AddMessage(ReadOnlyMemory<byte> json, Place place)
    {
        if (json.Length > settings.MaxMessageBytes)
        {
            return new Problem(
                ProblemType.MessageTooLarge,
                $"{place}: the message has {json.Length} bytes; at most {settings.MaxMessageBytes} are accepted.",
                place,
                settings.MaxMessageBytes);
        }

        if (_messages.Count == settings.MaxItems)
            return TooMany(ProblemType.TooManyMessages, "messages", place, settings.MaxItems);

        _messages.Add(json);
        MessageBytes += json.Length;
        return null;
    }

    /// <summary>Adds a room. Each may be named once.</summary>
    /// <returns>What is wrong, or null.</returns>
    public Problem? AddRoom(RoomId room, Place place)
    {
        if (_rooms.Count == settings.MaxRooms)
            return TooMany(ProblemType.TooManyRooms, "rooms", place, settings.MaxRooms);
        if (!_named.Add(room))
            return new Problem(ProblemType.BadRoom, $"{place} names the room '{room}' a second time; each may be named once.", place);
        if (caller.MayUse(room, place) is { } forbidden)
            return forbidden;

        _rooms.Add(room);
        return null;
    }

    /// <summary>The problem names the list and not its element: no single element is wrong.</summary>
    private static Problem TooMany(ProblemType kind, string what, Place place, int limit) => new(
        kind,
        $"{place}: more than {limit} {what} in one request; send the rest in another.",
        place.Line is { } line ? Place.AtLine(line) : Place.AtField(place.Field),
        limit);
}
