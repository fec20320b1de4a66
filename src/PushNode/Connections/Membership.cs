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

    /// <summary>What the member has of a room that remembers its messages; null in every other room, which so pays nothing for it.</summary>
    public virtual MemberPlace? Place => null;

    /// <summary>Messages of this room lost since the last frame and not yet reported by a GAP; null if the number is unknown.</summary>
    public long? Missed
    {
        get => _missed == Unknown ? null : _missed;
        set => _missed = value ?? Unknown;
    }

    /// <summary>A frame of the room does not reach the client.</summary>
    public void Miss(Frame frame)
    {
        Missed += frame.Loss;
        if (frame.Place is not null)
            Place?.Miss(frame.Place);
    }

    /// <summary>Whether the client has what a frame says, because it entered with it.</summary>
    public bool Has(Frame frame) => frame.Place is not null && Place is not null && frame.Place.Sequence < Place.FirstSequence;

    /// <summary>The GAP that reports <see cref="Missed"/>, which is then 0.</summary>
    public Frame TakeMissedGap()
    {
        var gap = Frames.Gap(Connection.Variant, Missed, Missed is null ? GapReason.Backplane : GapReason.Slow, Place?.MissedFrom, Place?.MissedTo);
        Missed = 0;
        Place?.ClearMissed();
        return gap;
    }
}
