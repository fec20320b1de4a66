namespace PushBackplane;

/// <summary>The names of the backplane's channels. Anyone may publish to them, for example with redis-cli.</summary>
/// <param name="prefix">The start of every name, "push:" unless set otherwise.</param>
internal sealed class PushChannels(string prefix)
{
    private readonly string _all = prefix + "all";
    private readonly string _room = prefix + "room:";

    /// <summary>Carries commands to nodes.</summary>
    public string Control { get; } = prefix + "control";

    /// <summary>Carries the messages of one topic.</summary>
    public string Of(Topic topic) => topic.RoomId is { } room ? $"{_room}{room}" : _all;

    /// <summary>Carries a process's messages to itself, which prove that delivery works.</summary>
    public string Canary(string name) => $"{prefix}canary:{name}";
}
