using PushNode.Messages;

namespace PushNode.Connections;

/// <summary>
/// One connection in one room, from the JOIN until it leaves. Every connection has at least one, so its fields are packed, and a session
/// adds its own state in a derived class instead of another object. <see cref="Missed"/> and <see cref="IsActive"/> are guarded by the
/// connection's gate, <see cref="Slot"/> by the shard's lock.
/// </summary>
internal class Membership(Connection connection, RoomFrames frames)
{
    /// <summary>The value of <see cref="_missed"/> for an unknown number.</summary>
    private const long Unknown = -1;

    private long _missed;

    public Connection Connection { get; } = connection;

    /// <summary>Makes the room's frames.</summary>
    public RoomFrames Frames { get; } = frames;

    /// <summary>Its index in the shard's set.</summary>
    public int Slot { get; set; }

    /// <summary>False once LEFT is queued: no frame under way may follow LEFT.</summary>
    public bool IsActive { get; set; } = true;

    /// <summary>Messages of this room lost since the last frame and not yet reported by a GAP; null if the number is unknown.</summary>
    public long? Missed
    {
        get => _missed == Unknown ? null : _missed;
        set => _missed = value ?? Unknown;
    }

    /// <summary>The GAP that reports <see cref="Missed"/>.</summary>
    public Frame MissedGap() => Frames.Gap(Connection.Variant, Missed, Missed is null ? GapReason.Backplane : GapReason.Slow);
}
