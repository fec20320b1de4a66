using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.Features;
using PushApi.Access;
using PushApi.Problems;
using PushApi.Requests;
using PushBackplane;
using PushBackplane.Restrictions;

namespace PushApi.Endpoints;

/// <summary>
/// The routes that do something to a user: disconnect, take out of a room, ban and mute. They tell all nodes, and answer with the number of
/// those that heard it. One per process, called from any request thread. Each method returns why the request is refused, or null if it is
/// carried out and answered.
/// </summary>
internal sealed class UserEndpoints(IBackplane backplane, IRestrictions restrictions, BodyReader bodies, BackplaneSettings settings, TimeProvider time)
{
    private static readonly BodyFormat[] Formats = [BodyFormat.Json];
    private static readonly string[] OfDisconnect = [UserBody.ReasonField];
    private static readonly string[] OfBan = [UserBody.SecondsField, UserBody.ReasonField];
    private static readonly string[] OfMute = [UserBody.SecondsField, UserBody.ReasonField, UserBody.RoomField];
    private static readonly string[] OfUnmute = [UserBody.RoomField];

    /// <summary><c>DELETE /v1/users/{user}/connections</c>.</summary>
    public async Task<Problem?> DisconnectAsync(HttpContext context)
    {
        if (Check(context, out var user) is { } problem)
            return problem;
        var (body, unread) = await ReadAsync(context, OfDisconnect, isOptional: true);
        return unread ?? await TellAsync(context, UserCommands.Disconnect(user, body.Reason));
    }

    /// <summary><c>DELETE /v1/rooms/{room}/members/{user}</c>.</summary>
    public async Task<Problem?> RemoveAsync(HttpContext context)
    {
        if (Check(context, out var user) is { } problem)
            return problem;
        return RawTarget.ReadRoom(context, out var room) ?? await TellAsync(context, UserCommands.Leave(user, room));
    }

    /// <summary><c>PUT /v1/users/{user}/ban</c> and <c>/mute</c>.</summary>
    public async Task<Problem?> RestrictAsync(HttpContext context, RestrictionKind kind)
    {
        if (Check(context, out var user) is { } problem)
            return problem;
        var (body, unread) = await ReadAsync(context, kind == RestrictionKind.Ban ? OfBan : OfMute, isOptional: false);
        if (unread is not null)
            return unread;
        if (body.Seconds is not { } seconds)
            return new Problem(ProblemType.BadBody, $"{UserBody.SecondsField} is missing.", Place.AtField(UserBody.SecondsField));

        // Whole seconds, the started one included: nobody is let in before the time.
        var until = DateTimeOffset.FromUnixTimeSeconds(time.GetUtcNow().ToUnixTimeSeconds() + seconds + 1);
        var restriction = new Restriction(new RestrictionTarget(kind, user, body.Room), until, body.Reason);
        return await AnswerAsync(context, await restrictions.RestrictAsync(restriction), until);
    }

    /// <summary><c>DELETE /v1/users/{user}/ban</c> and <c>/mute</c>.</summary>
    public async Task<Problem?> LiftAsync(HttpContext context, RestrictionKind kind)
    {
        if (Check(context, out var user) is { } problem)
            return problem;
        var (body, unread) = await ReadAsync(context, kind == RestrictionKind.Ban ? [] : OfUnmute, isOptional: true);
        return unread ?? await AnswerAsync(context, await restrictions.LiftAsync(new RestrictionTarget(kind, user, body.Room)), until: null);
    }

    /// <summary>What happens to a user happens in all rooms, so a key for some rooms is not enough.</summary>
    private static Problem? Check(HttpContext context, out UserId user) => RawTarget.ReadUser(context, out user) ?? ApiCaller.Of(context).MayUseAll();

    private async Task<(UserBody Body, Problem? Problem)> ReadAsync(HttpContext context, IReadOnlyList<string> accepted, bool isOptional)
    {
        if (isOptional && context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false })
            return default;
        if (BodyFormat.Pick(context, Formats, out _) is { } unsupported)
            return (default, unsupported);
        var (body, unread) = await bodies.ReadAsync(context);
        if (body is null)
            return (default, unread);
        // Its share of the pending bytes is returned before the answer is written.
        using (body)
            return (UserBody.Read(body.Bytes, accepted, out var read) is { } problem) ? (default, problem) : (read, null);
    }

    private async Task<Problem?> TellAsync(HttpContext context, byte[] command)
    {
        if (!backplane.Control.Home.IsUp)
            return Away();
        return await backplane.PublishAsync(backplane.Control, command) is { } nodes
            ? await WriteAsync(context, new CommandAnswer(nodes))
            : NotConfirmed();
    }

    private async Task<Problem?> AnswerAsync(HttpContext context, RestrictionOutcome outcome, DateTimeOffset? until) => outcome.Result switch
    {
        RestrictionResult.Done => await WriteAsync(context, new CommandAnswer(outcome.Nodes) { Until = until?.ToUnixTimeSeconds() }),
        RestrictionResult.Full => new Problem(
            ProblemType.TooManyRestrictions, $"{settings.MaxRestrictions} bans and mutes are not over (Backplane:MaxRestrictions).",
            limit: settings.MaxRestrictions),
        RestrictionResult.Unsupported => new Problem(
            ProblemType.RestrictionsUnsupported, $"{Home} refuses to keep bans and mutes: {outcome.Cause} (docs/redis.md). Nothing changed."),
        RestrictionResult.NotSent => Away(outcome.Cause),
        _ => NotConfirmed(),
    };

    private string Home => backplane.Control.Home.Description;

    private static async Task<Problem?> WriteAsync(HttpContext context, CommandAnswer answer)
    {
        await context.Response.WriteAsJsonAsync(answer, ApiJson.Default.CommandAnswer);
        return null;
    }

    private Problem Away(string? cause = null) => new(
        ProblemType.BackplaneAway, cause is null ? $"Unavailable or stalled: {Home}. Nothing changed." : $"{Home} refuses: {cause}. Nothing changed.");

    private Problem NotConfirmed() => new(
        ProblemType.NotConfirmed, $"{Home} did not confirm in time: the nodes may or may not have been told. The same request again does no harm.");
}

/// <summary>The answer of a route that does something to a user.</summary>
/// <param name="Nodes">The number of nodes that heard it, whether they have a connection of the user or not.</param>
internal sealed record CommandAnswer(int Nodes)
{
    /// <summary>When the ban or mute is over, in seconds since 1970; null if it is neither.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? Until { get; init; }
}
