using PushApi.Problems;
using PushBackplane;

namespace PushApi.Requests;

/// <summary>
/// What a body asks to publish, filled by the format that reads it; the limits on messages and rooms are kept here, once for all
/// formats. Belongs to one request.
/// </summary>
internal sealed class PublishRequest(PushApiSettings settings)
{
    private readonly List<ReadOnlyMemory<byte>> _messages = [];
    private readonly List<RoomId> _rooms = [];
    private readonly HashSet<RoomId> _named = [];

    /// <summary>The messages as JSON, most of them slices of the body.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Messages => _messages;

    /// <summary>The rooms the body names; none where the route says where to.</summary>
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
                $"{place}: a message of {json.Length} bytes; at most {settings.MaxMessageBytes} are accepted. Nothing was published.")
            {
                Field = place.Field,
                Item = place.Item,
                Line = place.Line,
                Limit = settings.MaxMessageBytes,
            };
        }

        if (_messages.Count == settings.MaxItems)
        {
            return new Problem(
                ProblemType.TooManyMessages,
                $"{place}: more than {settings.MaxItems} messages in one request; send the rest in another. Nothing was published.")
            {
                Field = place.Field,
                Line = place.Line,
                Limit = settings.MaxItems,
            };
        }

        _messages.Add(json);
        MessageBytes += json.Length;
        return null;
    }

    /// <summary>Adds a room; each may be named once.</summary>
    /// <returns>What is wrong, or null.</returns>
    public Problem? AddRoom(RoomId room, Place place)
    {
        if (_rooms.Count == settings.MaxRooms)
        {
            return new Problem(
                ProblemType.TooManyRooms,
                $"{place}: more than {settings.MaxRooms} rooms in one request; send the rest in another. Nothing was published.")
            {
                Field = place.Field,
                Limit = settings.MaxRooms,
            };
        }

        if (!_named.Add(room))
            return new Problem(ProblemType.BadRoom, $"{place} names the room '{room}' a second time; each may be named once. Nothing was published.") { Field = place.Field, Item = place.Item };

        _rooms.Add(room);
        return null;
    }
}
