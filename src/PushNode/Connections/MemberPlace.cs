using PushBackplane.History;
using PushNode.Messages;

namespace PushNode.Connections;

/// <summary>
/// What a member of a room that remembers its messages has, and what it has missed. Only members of such rooms have one. Guarded by the
/// connection's gate.
/// </summary>
internal sealed class MemberPlace
{
    /// <summary>
    /// The <see cref="FramePlace.Sequence"/> of the first frame for the member: it entered with what the earlier ones have. None before it enters: a shard may
    /// have listed it although it has to wait.
    /// </summary>
    public long FirstSequence { get; set; } = long.MaxValue;

    /// <summary>The position before the first message missed since the last GAP; null if none with a position is missed.</summary>
    public Position? MissedFrom { get; private set; }

    /// <summary>The position behind the last message missed.</summary>
    public Position? MissedTo { get; private set; }

    /// <summary>A frame is dropped. Frames are dropped in their order.</summary>
    public void Miss(FramePlace frame)
    {
        if (frame.From is null)
            return;
        MissedFrom ??= frame.From;
        MissedTo = frame.To;
    }

    /// <summary>The member gets a GAP.</summary>
    public void ClearMissed() => (MissedFrom, MissedTo) = (null, null);
}
