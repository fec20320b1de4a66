namespace PushBackplane;

/// <summary>The names of the backplane's channels. Anyone may publish to them, with redis-cli for example.</summary>
/// <param name="prefix">What all names begin with, "push:" unless set otherwise.</param>
public sealed class PushChannels(string prefix)
{
    /// <summary>Messages for everybody.</summary>
    public string All { get; } = prefix + "all";

    /// <summary>Messages for the members of one room.</summary>
    public string Room(RoomId room) => $"{prefix}room:{room}";

    /// <summary>The channel on which a program hears itself: what proves that delivery works.</summary>
    public string Canary(string name) => $"{prefix}canary:{name}";
}
