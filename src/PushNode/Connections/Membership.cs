using PushNode.Framing;

namespace PushNode.Connections;

/// <summary>
/// One connection in one room. Made by the session that joins, kept in the room's set until it leaves.
/// <see cref="Missed"/> and <see cref="IsActive"/> are guarded by the connection's gate, <see cref="Slot"/> by the shard's lock.
/// </summary>
internal sealed class Membership(Connection connection, RoomFrames frames)
{
    public Connection Connection { get; } = connection;

    /// <summary>Encodes the room's GAP for this member.</summary>
    public RoomFrames Frames { get; } = frames;

    /// <summary>False from the moment LEFT is queued: a frame already on its way must not follow it.</summary>
    public bool IsActive { get; set; } = true;

    /// <summary>Messages lost since the last frame of this room that the connection got, and not told yet; null when nobody knows how many.</summary>
    public long? Missed { get; set; } = 0;

    /// <summary>Where the shard's set keeps this member.</summary>
    public int Slot { get; set; }
}
