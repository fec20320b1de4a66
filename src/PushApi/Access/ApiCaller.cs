using Microsoft.AspNetCore.Http.Features;
using PushApi.Problems;
using PushApi.Settings;
using PushApi.Telemetry;
using PushBackplane;

namespace PushApi.Access;

/// <summary>
/// Who sends requests, and what they may reach: one key, or everybody who may use an API without keys. One for each key, for the life of the
/// process. The guard of the routes has checked the route's scope; endpoints ask for each room and for each message. Any thread.
/// </summary>
internal sealed class ApiCaller
{
    private readonly TimeProvider? _time;
    private readonly HashSet<ApiScope> _scopes;
    private readonly RoomPatterns _rooms;

    private ApiCaller(string? name, HashSet<ApiScope> scopes, RoomPatterns rooms, MessageRate? rate, TimeProvider? time)
    {
        Name = name;
        _scopes = scopes;
        _rooms = rooms;
        Rate = rate;
        Use = new KeyUse(name ?? "", rate?.PerSecond ?? 0);
        _time = time;
    }

    /// <summary>A caller that may do everything.</summary>
    public static ApiCaller Anyone { get; } = new(name: null, [.. Enum.GetValues<ApiScope>()], RoomPatterns.All, rate: null, time: null);

    /// <summary>The name of the key; null without keys.</summary>
    public string? Name { get; }

    /// <summary>The rate of the key; null for any.</summary>
    public MessageRate? Rate { get; }

    /// <summary>What the key was used for.</summary>
    public KeyUse Use { get; }

    /// <summary>The caller of a request.</summary>
    public static ApiCaller Of(HttpContext context) => context.Features.GetRequiredFeature<ApiCaller>();

    /// <summary>The caller that has a key.</summary>
    public static ApiCaller Of(ApiKeySettings key, TimeProvider time) => new(
        key.Name,
        [.. Enum.GetValues<ApiScope>().Where(scope => key.Has(RouteScopes.NameOf(scope)))],
        key.ParsedRooms(),
        key.Rate == 0 ? null : new MessageRate(key.Rate, key.Burst == 0 ? key.Rate : key.Burst, time),
        time);

    /// <summary>Begins a request to a route. Returns what is wrong, or null.</summary>
    public Problem? MayCall(ApiScope scope)
    {
        if (_time is not null)
            Use.Count(_time.GetUtcNow());
        if (!_scopes.Contains(scope))
        {
            return Refuse(new Problem(
                ProblemType.ForbiddenScope, $"The key has no scope {RouteScopes.NameOf(scope)}, which this route needs.", consequence: ""));
        }
        // A publish counts its messages once they are known.
        return scope == ApiScope.Publish ? null : Take(1);
    }

    /// <summary>Whether it may use a room. Returns what is wrong, or null.</summary>
    /// <param name="room">The room.</param>
    /// <param name="place">Where the request names it.</param>
    public Problem? MayUse(RoomId room, Place place = default) => _rooms.Contains(room)
        ? null
        : Refuse(new Problem(ProblemType.ForbiddenRoom, $"The key may not use the room {Problem.Quote(room.ToString())}.", place));

    /// <summary>Whether it may use what belongs to no room or to all rooms. Returns what is wrong, or null.</summary>
    public Problem? MayUseAll() => _rooms.IsAll
        ? null
        : Refuse(new Problem(ProblemType.ForbiddenRoom, "The key is for some rooms only, and this route reaches others."));

    /// <summary>Whether it may publish to a topic. Returns what is wrong, or null.</summary>
    public Problem? MayPublish(Topic topic) => topic.RoomId is { } room ? MayUse(room, Place.AtField("room")) : MayUseAll();

    /// <summary>Takes messages from the key's rate. Returns what is wrong, or null.</summary>
    /// <param name="messages">Messages times rooms.</param>
    public Problem? Take(long messages)
    {
        if (Rate is { } rate && messages > rate.Burst)
        {
            return Refuse(new Problem(
                ProblemType.TooManyMessages,
                $"{messages} messages (counted once per room) in one request are more than the key's burst of {rate.Burst}; send fewer at once.",
                limit: rate.Burst));
        }
        if (Rate is not null && !Rate.TryTake(messages, out var wait))
        {
            return Refuse(new Problem(ProblemType.RateLimited, $"The key may publish {Rate.PerSecond} messages a second and {Rate.Burst} at once.")
            {
                RetryAfter = wait,
            });
        }
        Use.CountMessages(messages);
        return null;
    }

    /// <summary>
    /// An idempotency key as the backplane knows it. Each caller has its own, so that none can learn from an answer, or spoil, what another
    /// publishes under the same one.
    /// </summary>
    public string OwnIdempotencyKey(string key) => Name is null ? key : $"{key}@{Name}";

    private Problem Refuse(Problem problem)
    {
        Use.CountRefusal(problem.Kind);
        return problem;
    }
}
