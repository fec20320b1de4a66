using PushNode.Messages;

namespace PushNode.Connections;

/// <summary>
/// One connection in one room. Made by the session that joins, kept in the room's set until it leaves. There are at least as many of these as connections, so
/// its fields are packed and a session's own notes about a room are made part of it by deriving.
/// <see cref="Missed"/> and <see cref="IsActive"/> are guarded by the connection's gate, <see cref="Slot"/> by the shard's lock.
/// </summary>
internal class Membership(Connection connection, RoomFrames frames)
{
    /// <summary>In <see cref="_missed"/>: nobody knows how many.</summary>
    private const long Unknown = -1;

    private long _missed;

    public Connection Connection { get; } = connection;

    /// <summary>Encodes the room's GAP for this member.</summary>
    public RoomFrames Frames { get; } = frames;

    /// <summary>Where the shard's set keeps this member.</summary>
    public int Slot { get; set; }

    /// <summary>False from the moment LEFT is queued: a frame already on its way must not follow it.</summary>
    public bool IsActive { get; set; } = true;

    /// <summary>Messages lost since the last frame of this room that the connection got, and not told yet; null when nobody knows how many.</summary>
    public long? Missed
    {
        get => _missed == Unknown ? null : _missed;
        set => _missed = value ?? Unknown;
    }
}
