using Microsoft.AspNetCore.Http.Features;
using PushApi.Problems;
using PushBackplane;

namespace PushApi.Endpoints;

/// <summary>
/// Reads the request target as the client sent it. Kestrel decodes the path and removes dot segments before routing: the path
/// <c>/v1/rooms/%2e%2e/messages</c> would reach <c>/v1/messages</c>, and a <c>%FF</c> would be lost.
/// </summary>
internal static class RawTarget
{
    private const string RoomPrefix = "/v1/rooms/";
    private const string RoomSuffix = "/messages";

    /// <summary>Checks the target of any route.</summary>
    /// <returns>What is wrong, or null.</returns>
    public static Problem? Check(HttpContext context)
    {
        var path = Path(context);
        if (path.Contains("%2f", StringComparison.OrdinalIgnoreCase))
            return new Problem(ProblemType.BadTarget, "The path contains %2F; a room's name has no '/', percent-encoded or not.");

        foreach (var segment in path.Split('/'))
        {
            if (IsDots(path[segment]))
            {
                return new Problem(
                    ProblemType.BadTarget, $"The path has a segment {path[segment]}; '.' and '..' are not accepted, percent-encoded or not.");
            }
        }
        return null;
    }

    /// <summary>Reads the room out of <c>/v1/rooms/{room}/messages</c>.</summary>
    /// <returns>What is wrong, or null.</returns>
    public static Problem? ReadRoom(HttpContext context, out RoomId room)
    {
        // The host's path base, if any, precedes the prefix.
        var path = Path(context).TrimEnd('/');
        var start = path.LastIndexOf(RoomPrefix, StringComparison.OrdinalIgnoreCase) + RoomPrefix.Length;
        var end = path.Length - RoomSuffix.Length;
        room = default;
        var hasRoom = start >= RoomPrefix.Length && end >= start && path.EndsWith(RoomSuffix, StringComparison.OrdinalIgnoreCase);
        if (!hasRoom || path[start..end].Contains('/'))
            return new Problem(ProblemType.BadTarget, "The target must be /v1/rooms/{room}/messages, with only the room's name percent-encoded.");

        return RoomId.TryParseEscaped(path[start..end], plusIsSpace: false, out room, out var error)
            ? null
            : new Problem(ProblemType.BadRoom, $"room {error}.", Place.AtField("room"));
    }

    /// <summary>The path of the target, in origin-form or absolute-form, not decoded and without its query.</summary>
    private static ReadOnlySpan<char> Path(HttpContext context)
    {
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.AsSpan();
        var query = target.IndexOf('?');
        if (query >= 0)
            target = target[..query];
        if (target.StartsWith('/'))
            return target;

        var authority = target.IndexOf("://");
        if (authority < 0)
            return target;
        var path = target[(authority + 3)..].IndexOf('/');
        return path < 0 ? "/" : target[(authority + 3 + path)..];
    }

    /// <summary>Whether a path segment is <c>.</c> or <c>..</c>, each dot percent-encoded or not.</summary>
    private static bool IsDots(ReadOnlySpan<char> segment)
    {
        var dots = 0;
        while (!segment.IsEmpty)
        {
            var length = segment[0] == '.' ? 1 : segment.StartsWith("%2e", StringComparison.OrdinalIgnoreCase) ? 3 : 0;
            if (length == 0)
                return false;
            segment = segment[length..];
            dots++;
        }
        return dots is 1 or 2;
    }
}
