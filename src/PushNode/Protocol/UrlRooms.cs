namespace PushNode.Protocol;

/// <summary>The rooms that a client names in the URL when it connects.</summary>
internal static class UrlRooms
{
    private const string Parameter = "room=";

    /// <summary>Joins them in their order. All names beyond the limit, good or bad, get a single answer.</summary>
    /// <param name="session">The client's.</param>
    /// <param name="query">The URL's query in its own encoding, with its question mark or empty.</param>
    /// <param name="maxRooms">Rooms a client may be in.</param>
    public static void Join(Session session, ReadOnlySpan<char> query, int maxRooms)
    {
        query = query.TrimStart('?');
        var named = 0;
        foreach (var range in query.Split('&'))
        {
            // As it stands, for the room id's own parser to decode.
            var pair = query[range];
            if (!pair.StartsWith(Parameter, StringComparison.Ordinal))
                continue;
            if (++named > maxRooms)
            {
                session.RefuseFurtherRooms();
                return;
            }

            session.JoinAtConnect(pair[Parameter.Length..]);
        }
    }
}
