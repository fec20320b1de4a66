namespace PushBackplane;

/// <summary>
/// The names of the backplane's channels, to which anyone may publish, for example with redis-cli, and of its keys on Redis.
/// </summary>
/// <param name="prefix">The prefix of every name; "push:" by default.</param>
internal sealed class PushChannels(string prefix)
{
    private readonly string _all = prefix + "all";
    private readonly string _room = prefix + "room:";
    private readonly string _user = prefix + "user:";

    /// <summary>Carries commands to nodes.</summary>
    public string Control { get; } = prefix + "control";

    /// <summary>The nodes of the farm with the ends of their leases.</summary>
    public string Nodes { get; } = prefix + "nodes";

    /// <summary>Begins the keys of one node: "push:n:" and its id.</summary>
    public string NodePrefix { get; } = prefix + "n:";

    /// <summary>Carries the messages of one topic.</summary>
    public string Of(Topic topic) => topic.RoomId is { } room ? $"{_room}{room}" : topic.UserId is { } user ? $"{_user}{user}" : _all;

    /// <summary>Holds the bans and mutes.</summary>
    public string Restrictions { get; } = prefix + "restrictions";

    /// <summary>Holds that a user has sent into a room with slow mode: "push:slow:demo/alice". Neither name has a slash.</summary>
    public string SlowKey(RoomId room, UserId user) => $"{prefix}slow:{room}/{user}";

    /// <summary>Tells one life of a server from the next, for the epochs of its rooms.</summary>
    public string Life { get; } = prefix + "life";

    /// <summary>The prefix of every name.</summary>
    public string Prefix => prefix;

    /// <summary>Holds where a room's history stands.</summary>
    public string HistoryKey(RoomId room) => $"{prefix}h:{room}";

    /// <summary>Holds the messages of a room's history.</summary>
    public string StreamKey(RoomId room) => $"{prefix}s:{room}";

    /// <summary>Carries the messages that a process sends to itself to prove that delivery works.</summary>
    public string Canary(string name) => $"{prefix}canary:{name}";

    /// <summary>
    /// Holds the fingerprint of the request with an idempotency key. It differs from every <see cref="AnswerKey"/>, because no channel's own
    /// part of its name is empty or has a slash.
    /// </summary>
    public string RequestKey(string name) => $"{prefix}k:/{name}";

    /// <summary>Holds the first answer to a publish on a channel with an idempotency key: "push:k:room:demo/KEY".</summary>
    public string AnswerKey(string channel, string name) => $"{prefix}k:{channel[prefix.Length..]}/{name}";
}
