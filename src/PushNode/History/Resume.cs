using PushBackplane.History;

namespace PushNode.History;

/// <summary>Where a client wants to begin in a room. Belongs to one JOIN; what it has waited for is guarded by the room's <see cref="RoomHistory"/>.</summary>
/// <param name="since">The position that it has; null if it has none.</param>
/// <param name="last">How many of the last messages it wants if it has no position, or one that cannot be resumed from; 0 for none.</param>
internal sealed class Resume(Position? since, int last)
{
    /// <summary>The position that the client has; null if it has none.</summary>
    public Position? Since { get; } = since;

    /// <summary>How many of the last messages it wants otherwise.</summary>
    public int Last { get; } = last;

    /// <summary>The number of the heal that it waits for, or has waited for; 0 before.</summary>
    public int Heal { get; set; }

    /// <summary>How many reads of older messages it has asked for.</summary>
    public int Reads { get; set; }

    /// <summary>The number of reads of older messages that were complete when it last asked.</summary>
    public int ReadsBefore { get; set; }
}

/// <summary>How a member enters a room that remembers its messages.</summary>
/// <param name="Recovered">Whether it gets everything after its position; null if it gave none.</param>
/// <param name="At">Where what it gets begins; null in a room without positions.</param>
/// <param name="FirstSequence">The first frame for it.</param>
/// <param name="Missed">What it gets before that; null for nothing.</param>
internal readonly record struct RoomEntry(bool? Recovered, Position? At, long FirstSequence, Slice? Missed);
