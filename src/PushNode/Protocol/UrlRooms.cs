namespace PushNode.Protocol;

/// <summary>The rooms that a client names in the URL when it connects.</summary>
internal static class UrlRooms
{
    private const string Parameter = "room=";

    /// <summary>Joins them in order. All names over the limit, valid or not, get one ERROR together.</summary>
    /// <param name="session">The client's session.</param>
    /// <param name="query">The URL's query, still percent-encoded, with its question mark; or empty.</param>
    /// <param name="maxRooms">The number of rooms a client may join.</param>
    public static void Join(Session session, ReadOnlySpan<char> query, int maxRooms)
    {
        query = query.TrimStart('?');
        var named = 0;
        foreach (var range in query.Split('&'))
        {
            // Not decoded here: RoomId's parser does it.
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
