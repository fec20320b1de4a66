using System.Text.Json.Serialization.Metadata;
using PushApi.Access;
using PushApi.Counts;
using PushApi.Problems;
using PushApi.Telemetry;
using PushBackplane.Counts;
using PushBackplane.Restrictions;

namespace PushApi.Endpoints;

/// <summary>
/// The routes that read counts. One per process, called from any request thread. Each method returns why the request is refused, or null if it is
/// answered.
/// </summary>
internal sealed class CountEndpoints(IFarmCounts counts, IRestrictions restrictions, RecentAnswers recent, PushApiMetrics metrics)
{
    private const int StandardPage = 100;
    private const int StandardTop = 20;

    /// <summary><c>GET /v1/rooms/{room}</c>.</summary>
    public async Task<Problem?> RoomAsync(HttpContext context) =>
        RawTarget.ReadRoom(context, out var room) is { } problem ? problem
        : ApiCaller.Of(context).MayUse(room) is { } forbidden ? forbidden
        : await AnswerAsync(context, await recent.GetAsync(room, () => counts.RoomAsync(room)), RoomAnswer.Of, ApiJson.Readable.RoomAnswer);

    /// <summary><c>GET /v1/rooms</c>: the largest with <c>top</c>, otherwise all, in pages.</summary>
    public async Task<Problem?> RoomsAsync(HttpContext context)
    {
        var query = new CountQuery(context.Request.Query);
        var isTop = query.Has("top");
        query.Exclude("top", "cursor");
        query.Exclude("top", "limit");
        var prefix = query.Prefix();
        var count = isTop ? query.Count("top", StandardTop) : query.Count("limit", StandardPage);
        var after = query.Cursor(prefix);
        if ((query.Problem ?? ApiCaller.Of(context).MayUseAll()) is { } problem)
            return problem;

        var page = await recent.GetAsync(
            ("rooms", isTop, count, prefix, after), () => isTop ? counts.LargestAsync(count, prefix) : counts.RoomsAsync(count, prefix, after));
        return await AnswerAsync(context, page, RoomsAnswer.Of, ApiJson.Readable.RoomsAnswer);
    }

    /// <summary><c>GET /v1/users/{user}</c>. The farm's bans and mutes are read as a whole, so they are read once for all users.</summary>
    public async Task<Problem?> UserAsync(HttpContext context)
    {
        if ((RawTarget.ReadUser(context, out var user) ?? ApiCaller.Of(context).MayUseAll()) is { } problem)
            return problem;
        var (count, restricted) = (counts.UserAsync(user), recent.GetAsync("restrictions", restrictions.LoadAsync));
        var all = (await restricted).All;
        return await AnswerAsync(context, await count, found => UserAnswer.Of(user, found, all), ApiJson.Readable.UserAnswer);
    }

    /// <summary><c>GET /v1/nodes</c>.</summary>
    public async Task<Problem?> NodesAsync(HttpContext context)
    {
        var query = new CountQuery(context.Request.Query);
        var (count, after) = (query.Count("limit", StandardPage), query.Cursor());
        return (query.Problem ?? ApiCaller.Of(context).MayUseAll()) is { } problem ? problem
            : await AnswerAsync(
                context, await recent.GetAsync(("nodes", count, after), () => counts.NodesAsync(count, after)), NodesAnswer.Of, ApiJson.Readable.NodesAnswer);
    }

    /// <summary><c>GET /v1/stats</c>.</summary>
    public async Task<Problem?> StatsAsync(HttpContext context) =>
        ApiCaller.Of(context).MayUseAll() is { } forbidden ? forbidden
        : await AnswerAsync(context, await FarmAsync(), StatsAnswer.Of, ApiJson.Readable.StatsAnswer);

    /// <summary><c>GET /stats</c>, go-push's.</summary>
    public async Task<Problem?> GoPushStatsAsync(HttpContext context) =>
        ApiCaller.Of(context).MayUseAll() is { } forbidden ? forbidden
        : await AnswerAsync(
            context, await FarmAsync(), farm => GoPushStats.Of(farm, metrics.Published, metrics.Failed), ApiJson.Readable.GoPushStats);

    private Task<Counted<FarmCount>> FarmAsync() => recent.GetAsync("farm", counts.FarmAsync);

    private async Task<Problem?> AnswerAsync<TCount, TAnswer>(
        HttpContext context, Counted<TCount> count, Func<TCount, TAnswer> read, JsonTypeInfo<TAnswer> type)
        where TCount : class
    {
        if (!count.IsKnown)
            return Unavailable(count.Cause);
        await context.Response.WriteAsJsonAsync(read(count.Value), type);
        return null;
    }

    private Problem Unavailable(string? cause) => new(
        ProblemType.CountsAway,
        cause is null
            ? $"{counts.Home.Description}, which has the counts, is unavailable or stalled."
            : $"{counts.Home.Description} refuses to read the counts: {cause}.");
}
