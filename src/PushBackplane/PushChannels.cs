namespace PushBackplane;

/// <summary>The names of the backplane's channels. Anyone may publish to them, for example with redis-cli.</summary>
/// <param name="prefix">The prefix of every name; "push:" by default.</param>
internal sealed class PushChannels(string prefix)
{
    private readonly string _all = prefix + "all";
    private readonly string _room = prefix + "room:";

    /// <summary>Carries commands to nodes.</summary>
    public string Control { get; } = prefix + "control";

    /// <summary>Carries the messages of one topic.</summary>
    public string Of(Topic topic) => topic.RoomId is { } room ? $"{_room}{room}" : _all;

    /// <summary>Carries the messages that a process sends to itself to prove that delivery works.</summary>
    public string Canary(string name) => $"{prefix}canary:{name}";
}
