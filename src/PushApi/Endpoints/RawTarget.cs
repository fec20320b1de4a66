using Microsoft.AspNetCore.Http.Features;
using PushApi.Problems;
using PushBackplane;

namespace PushApi.Endpoints;

/// <summary>
/// Reads the request target as the client sent it. Kestrel decodes the path and removes dot segments before routing, so
/// <c>/v1/rooms/%2e%2e/messages</c> would reach <c>/v1/messages</c>, and what <c>%FF</c> was can no longer be told.
/// </summary>
internal static class RawTarget
{
    private const string RoomPrefix = "/v1/rooms/";
    private const string RoomSuffix = "/messages";

    /// <summary>Returns what is wrong with any target, whatever it was routed to, or null.</summary>
    public static Problem? Check(HttpContext context)
    {
        var path = Path(context);
        if (path.Contains("%2f", StringComparison.OrdinalIgnoreCase))
            return new Problem(ProblemType.BadTarget, "The path has a %2F; a room's name has no '/', not even percent-encoded.");

        foreach (var step in path.Split('/'))
        {
            if (IsDotStep(path[step]))
                return new Problem(ProblemType.BadTarget, $"The path has a step {path[step]}; '.' and '..' are no rooms, percent-encoded or not, and a path is taken as it is sent.");
        }
        return null;
    }

    /// <summary>Reads the room out of <c>/v1/rooms/{room}/messages</c>.</summary>
    /// <returns>What is wrong, or null.</returns>
    public static Problem? ReadRoom(HttpContext context, out RoomId room)
    {
        // What stands before the prefix is a path base the host was given.
        var path = Path(context).TrimEnd('/');
        var start = path.LastIndexOf(RoomPrefix, StringComparison.OrdinalIgnoreCase) + RoomPrefix.Length;
        var end = path.Length - RoomSuffix.Length;
        room = default;
        if (start < RoomPrefix.Length || end < start || !path.EndsWith(RoomSuffix, StringComparison.OrdinalIgnoreCase) || path[start..end].Contains('/'))
            return new Problem(ProblemType.BadTarget, "Send the target as /v1/rooms/{room}/messages with nothing but the room's name percent-encoded.");

        return RoomId.TryParseEscaped(path[start..end], plusIsSpace: false, out room, out var error)
            ? null
            : new Problem(ProblemType.BadRoom, $"room {error}. Nothing was published.") { Field = "room" };
    }

    /// <summary>The path of the target, origin-form or absolute-form, neither decoded nor with its query.</summary>
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

    private static bool IsDotStep(ReadOnlySpan<char> step)
    {
        var dots = 0;
        while (!step.IsEmpty)
        {
            var length = step[0] == '.' ? 1 : step.StartsWith("%2e", StringComparison.OrdinalIgnoreCase) ? 3 : 0;
            if (length == 0)
                return false;
            step = step[length..];
            dots++;
        }
        return dots is 1 or 2;
    }
}
