using PushBackplane.History;
using PushHosting.Settings;

namespace PushBackplane;

/// <summary>The keys of one item of <c>Rooms</c>: what holds for the rooms of a pattern.</summary>
public sealed class RoomPolicySettings : ICheckedSettings
{
    /// <summary>The largest <see cref="Recent"/>: more than a client can ask for with <c>last</c> would only take memory.</summary>
    public const int MaxRecent = 1_000;

    /// <summary>A room's name, or the beginning of one and <c>*</c>, or several of these separated by commas.</summary>
    public string Pattern { get; set; } = "";

    /// <summary>The least time between two SENDs of one user into one room, on whatever node; zero for any.</summary>
    [Duration("00:00:00", "01:00:00")]
    public TimeSpan SlowMode { get; set; }

    /// <summary>What is kept of the rooms' messages on Redis. API and nodes must have the same.</summary>
    public RoomHistorySettings History { get; set; } = new();

    /// <summary>
    /// The number of messages that a node remembers of a room without history, while it has members, for clients that join with <c>last</c>.
    /// </summary>
    [Number(0, MaxRecent)]
    public int Recent { get; set; }

    /// <inheritdoc/>
    public string? Problem(string section)
    {
        if (!RoomPatterns.TryParseList(Pattern, out var rooms, out var error))
            return $"{section}:Pattern is not accepted: {error}.";
        if (rooms.IsNone)
            return $"{section}:Pattern is missing; it accepts a room's name, or the beginning of one and '*', for example news-*.";
        // Redis counts in milliseconds.
        return SlowMode > TimeSpan.Zero && SlowMode < TimeSpan.FromMilliseconds(1)
            ? $"{section}:SlowMode is '{SlowMode:c}'; it accepts a duration of 00:00:00.001 or more, or 00:00:00."
            : null;
    }
}

/// <summary>The keys of <c>Rooms:N:History</c>: how much of a room's messages is kept, and for how long.</summary>
public sealed class RoomHistorySettings
{
    /// <summary>The largest <see cref="Size"/>.</summary>
    public const int MaxSize = 100_000;

    /// <summary>The number of messages that are kept; 0 for none.</summary>
    [Number(0, MaxSize)]
    public int Size { get; set; }

    /// <summary>How long each is kept.</summary>
    [Duration("00:00:01", "30.00:00:00")]
    public TimeSpan Ttl { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>The same; null for no history.</summary>
    internal HistoryLimits? Limits => Size > 0 ? new HistoryLimits(Size, Ttl) : null;
}

/// <summary>What holds for one room. Immutable.</summary>
/// <param name="SlowMode">The least time between two SENDs of one user; zero for any.</param>
/// <param name="History">What is kept of its messages; null for nothing.</param>
/// <param name="Recent">The number of messages that a node remembers if there is no history.</param>
public sealed record RoomPolicy(TimeSpan SlowMode, HistoryLimits? History = null, int Recent = 0)
{
    /// <summary>Of rooms without one.</summary>
    public static RoomPolicy None { get; } = new(TimeSpan.Zero);
}

/// <summary>The policies of rooms: the first whose pattern has the room counts. Immutable; any thread.</summary>
public sealed class RoomPolicies
{
    /// <summary>The section of the list.</summary>
    public const string Section = "Rooms";

    private readonly (RoomPatterns Rooms, RoomPolicy Policy)[] _all;

    /// <param name="settings">The items of <c>Rooms</c>, checked.</param>
    public RoomPolicies(IEnumerable<RoomPolicySettings> settings) => _all = [.. settings.Select(Read)];

    /// <summary>No policy for any room.</summary>
    public static RoomPolicies None { get; } = new([]);

    /// <summary>The policy of a room.</summary>
    public RoomPolicy Of(RoomId room)
    {
        foreach (var (rooms, policy) in _all)
        {
            if (rooms.Contains(room))
                return policy;
        }

        return RoomPolicy.None;
    }

    /// <summary>Whether any room has history.</summary>
    public bool HaveHistory => _all.Any(one => one.Policy.History is not null);

    /// <summary>The room of a topic if it has history; otherwise null.</summary>
    public KeptRoom? Kept(Topic topic) =>
        _all.Length > 0 && topic.RoomId is { } room && Of(room).History is { } limits ? new KeptRoom(room, limits) : null;

    private static (RoomPatterns, RoomPolicy) Read(RoomPolicySettings settings) =>
        RoomPatterns.TryParseList(settings.Pattern, out var rooms, out var error)
            ? (rooms, new RoomPolicy(settings.SlowMode, settings.History.Limits, settings.Recent))
            : throw new ArgumentException(error, nameof(settings));
}
