using PushBackplane.History;
using PushNode.Messages;

namespace PushNode.Protocol;

/// <summary>The rooms that a client names in the URL when it connects.</summary>
internal static class UrlRooms
{
    private const string Parameter = "room=";
    private const string SinceParameter = "since=";
    private const string LastParameter = "last=";
    private const string OnlineParameter = "online=1";

    /// <summary>
    /// Joins them in order. All names over the limit, valid or not, get one ERROR together. With <c>online=1</c>, anywhere in the query, they join as
    /// with <c>"online":true</c>; <c>since=</c> and <c>last=</c> belong to the room before them.
    /// </summary>
    /// <param name="session">The client's session.</param>
    /// <param name="query">The URL's query, still percent-encoded, with its question mark; or empty.</param>
    /// <param name="maxRooms">The number of rooms a client may join.</param>
    /// <param name="lastEventId">
    /// The id of the last event that the client has; null if there is none. It counts if the URL names one room, and instead of the URL's position:
    /// browsers send it when they reconnect by themselves, with the URL of the beginning.
    /// </param>
    public static void Join(Session session, ReadOnlySpan<char> query, int maxRooms, string? lastEventId = null)
    {
        query = query.TrimStart('?');
        var room = new NamedRoom(session, AsksOnline(query));
        var named = 0;
        foreach (var range in query.Split('&'))
        {
            var pair = query[range];
            if (pair.StartsWith(Parameter, StringComparison.Ordinal))
            {
                room.Join();
                if (++named > maxRooms)
                {
                    session.RefuseFurtherRooms();
                    return;
                }

                // Not decoded here: RoomId's parser does it.
                room.Name(pair[Parameter.Length..]);
            }
            else if (pair.StartsWith(SinceParameter, StringComparison.Ordinal))
            {
                room.TakeSince(pair[SinceParameter.Length..], "since");
            }
            else if (pair.StartsWith(LastParameter, StringComparison.Ordinal))
            {
                room.TakeLast(pair[LastParameter.Length..]);
            }
        }

        if (named == 1 && lastEventId is not null)
            room.TakeSince(lastEventId, "Last-Event-ID");
        room.Join();
    }

    private static bool AsksOnline(ReadOnlySpan<char> query)
    {
        foreach (var range in query.Split('&'))
        {
            if (query[range].SequenceEqual(OnlineParameter))
                return true;
        }

        return false;
    }

    /// <summary>The last room that the query has named so far, which is joined when the next is named.</summary>
    private ref struct NamedRoom(Session session, bool online)
    {
        private ReadOnlySpan<char> _name;
        private bool _isNamed;
        private bool _isRefused;
        private Position? _since;
        private int _last;

        public void Name(ReadOnlySpan<char> name)
        {
            _name = name;
            _isNamed = true;
            _isRefused = false;
            _since = null;
            _last = 0;
        }

        public void TakeSince(ReadOnlySpan<char> text, string parameter)
        {
            if (!_isNamed)
                Refuse($"{parameter} stands before any room in the URL; it accepts a place behind its room.");
            else if (Place.TryParseSince(text, out var since))
                _since = since;
            else
                Refuse($"{parameter} {Place.AcceptedText}");
        }

        public void TakeLast(ReadOnlySpan<char> text)
        {
            if (!_isNamed)
                Refuse("last stands before any room in the URL; it accepts a place behind its room.");
            else if (Place.TryParseLast(text, out var last))
                _last = last;
            else
                Refuse($"last {Place.AcceptedLast}");
        }

        public readonly void Join()
        {
            if (_isNamed)
                session.JoinAtConnect(_name, online, _since, _last);
        }

        /// <summary>Tells the client once for each room, whatever the URL repeats.</summary>
        private void Refuse(string message)
        {
            if (_isRefused)
                return;
            _isRefused = true;
            session.RefusePosition(message);
        }
    }
}
