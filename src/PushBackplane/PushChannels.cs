namespace PushBackplane;

/// <summary>The names of the backplane's channels. Anyone may publish to them, with redis-cli for example.</summary>
/// <param name="prefix">What all names begin with, "push:" unless set otherwise.</param>
public sealed class PushChannels(string prefix)
{
    private readonly string _rooms = prefix + "room:";

    /// <summary>Messages for everybody.</summary>
    public string All { get; } = prefix + "all";

    /// <summary>Messages for the members of one room.</summary>
    public string Room(RoomId room) => $"{_rooms}{room}";

    /// <summary>Commands to nodes.</summary>
    public string Control { get; } = prefix + "control";

    /// <summary>The channel on which a program hears itself: what proves that delivery works.</summary>
    public string Canary(string name) => $"{prefix}canary:{name}";

    /// <summary>The name of the room whose channel this is; null for every other channel.</summary>
    internal string? RoomOf(string channel) => channel.StartsWith(_rooms, StringComparison.Ordinal) ? channel[_rooms.Length..] : null;
}
