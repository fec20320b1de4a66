using Microsoft.Extensions.Primitives;
using PushNode.Access;
using PushNode.Connections;
using PushNode.Messages;
using PushNode.Protocol;

namespace PushNode.Endpoints;

/// <summary>Who a client is by the token of its handshake: <c>?token=</c>, or <c>Authorization: Bearer</c>.</summary>
/// <param name="Principal">What it may do; null if it needs a token, or its token is not accepted.</param>
/// <param name="Verdict">What the node thinks of its token; accepted if it needs none.</param>
internal readonly record struct Entry(Principal? Principal, TokenVerdict Verdict)
{
    private const string Parameter = "token=";
    private const string Scheme = "Bearer ";

    /// <summary>Whether the client may stay: it has rights, or time to send AUTH.</summary>
    public bool MayStay => Verdict is TokenVerdict.Accepted or TokenVerdict.Missing;

    /// <summary>Verifies the token of a request.</summary>
    /// <param name="query">The URL's query, as it was sent.</param>
    /// <param name="authorization">All values of Authorization.</param>
    /// <param name="access">What tokens allow.</param>
    public static Entry Of(ReadOnlySpan<char> query, StringValues authorization, AccessRules access)
    {
        if (!access.IsOn)
            return new(access.Stranger, TokenVerdict.Accepted);
        if (!TryFind(query, authorization, out var token))
            return new(null, access.Count(TokenVerdict.Malformed));
        if (token is null)
            return new(access.Stranger, access.Stranger is null ? TokenVerdict.Missing : TokenVerdict.Accepted);
        var verdict = access.Verify(token, out var principal);
        return new(principal, verdict);
    }

    /// <summary>
    /// Makes a new connection's session, greets the client and joins the URL's rooms, or closes the connection because of the token.
    /// </summary>
    /// <param name="connection">The client's.</param>
    /// <param name="sessions">What all sessions share.</param>
    /// <param name="query">The URL's query, as it was sent.</param>
    /// <param name="lastEventId">Of server-sent events; null if there is none.</param>
    public void Begin(Connection connection, SessionRules sessions, ReadOnlySpan<char> query, string? lastEventId)
    {
        connection.Greet();
        var session = new Session(connection, sessions, Principal);
        if (MayStay)
            UrlRooms.Join(session, query, sessions.MaxRooms, lastEventId);
        else
            connection.Close(CloseReason.Of(Verdict));
    }

    /// <summary>Finds the token: in the URL, or in the header, or the same one in both.</summary>
    /// <returns>False if there are two different ones: a proxy may have checked the other one.</returns>
    private static bool TryFind(ReadOnlySpan<char> query, StringValues authorization, out string? token)
    {
        token = null;
        foreach (var header in authorization)
        {
            if (header is not null && header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) && !IsSame(ref token, header.AsSpan(Scheme.Length).Trim(' ')))
                return false;
        }

        query = query.TrimStart('?');
        foreach (var range in query.Split('&'))
        {
            if (query[range].StartsWith(Parameter, StringComparison.Ordinal) && !IsSame(ref token, Unescape(query[range][Parameter.Length..])))
                return false;
        }

        return true;
    }

    private static bool IsSame(ref string? token, ReadOnlySpan<char> found)
    {
        token ??= found.ToString();
        return found.SequenceEqual(token);
    }

    /// <summary>A token needs no percent-encoding, and some clients do it all the same.</summary>
    private static ReadOnlySpan<char> Unescape(ReadOnlySpan<char> text) => text.Contains('%') ? Uri.UnescapeDataString(text) : text;
}
