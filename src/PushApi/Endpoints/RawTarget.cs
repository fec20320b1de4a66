using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing.Patterns;
using PushApi.Problems;
using PushBackplane;

namespace PushApi.Endpoints;

/// <summary>
/// Reads the request target as the client sent it. Kestrel decodes the path and removes dot segments before routing: the path
/// <c>/v1/rooms/%2e%2e/messages</c> would reach <c>/v1/messages</c>, and a <c>%FF</c> would be lost.
/// </summary>
internal static class RawTarget
{
    /// <summary>Checks the target of any route.</summary>
    /// <returns>What is wrong, or null.</returns>
    public static Problem? Check(HttpContext context)
    {
        var path = Path(context);
        if (path.Contains("%2f", StringComparison.OrdinalIgnoreCase))
            return new Problem(ProblemType.BadTarget, "The path contains %2F; the name of a room or user has no '/', percent-encoded or not.");

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

    /// <summary>Reads the room where the endpoint's pattern has <c>{room}</c>.</summary>
    /// <returns>What is wrong, or null.</returns>
    public static Problem? ReadRoom(HttpContext context, out RoomId room)
    {
        room = default;
        if (ReadSegment(context, "room", out var escaped) is { } badTarget)
            return badTarget;
        return RoomId.TryParseEscaped(escaped, plusIsSpace: false, out room, out var error)
            ? null
            : new Problem(ProblemType.BadRoom, $"room {error}.", Place.AtField("room"));
    }

    /// <summary>Reads the user where the endpoint's pattern has <c>{user}</c>.</summary>
    /// <returns>What is wrong, or null.</returns>
    public static Problem? ReadUser(HttpContext context, out UserId user)
    {
        user = default;
        if (ReadSegment(context, "user", out var escaped) is { } badTarget)
            return badTarget;
        return UserId.TryParseEscaped(escaped, plusIsSpace: false, out user, out var error)
            ? null
            : new Problem(ProblemType.BadUser, $"user {error}.", Place.AtField("user"));
    }

    /// <summary>
    /// Reads a parameter of the endpoint's pattern. The segments are compared from the last one: the host's path base, if any, precedes the
    /// pattern.
    /// </summary>
    private static Problem? ReadSegment(HttpContext context, string parameter, out ReadOnlySpan<char> escaped)
    {
        escaped = default;
        var pattern = ((RouteEndpoint)context.GetEndpoint()!).RoutePattern;
        var rest = Path(context).TrimEnd('/');
        foreach (var expected in pattern.PathSegments.Reverse())
        {
            var slash = rest.LastIndexOf('/');
            var segment = rest[(slash + 1)..];
            if (slash < 0 || (expected.Parts is [RoutePatternLiteralPart part] && !segment.Equals(part.Content, StringComparison.OrdinalIgnoreCase)))
            {
                return new Problem(
                    ProblemType.BadTarget, $"The target must be {pattern.RawText}, with only the names in braces percent-encoded.");
            }
            if (expected.Parts is [RoutePatternParameterPart { Name: var name }] && name == parameter)
                escaped = segment;
            rest = rest[..slash];
        }
        return null;
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
