using RedisPush.Client.Protocol;

namespace RedisPush.Client.Rooms;

/// <summary>What a PUSH brings to a room: what came before is cut off, and a hole is seen.</summary>
/// <param name="Skipped">How many of its messages have come before.</param>
/// <param name="End">Where the room is after it; null if that does not change.</param>
/// <param name="Gap">What is missing before it; null if nothing.</param>
internal readonly record struct Step(int Skipped, PushPosition? End = null, PushGap? Gap = null)
{
    /// <param name="known">Where the room is; null if nobody knows.</param>
    /// <param name="push">With a position that is not before its messages.</param>
    public static Step Of(PushPosition? known, ServerMessage push) => Of(known, push.Position, push.Items!.Length, push.Positioned);

    /// <summary>As above, with the end of a PUSH, the number of its messages, and how many of them have positions.</summary>
    public static Step Of(PushPosition? known, PushPosition? end, int messages, int positioned)
    {
        if (end is not { } last)
            return new Step(0);
        var start = last with { Offset = last.Offset - positioned };
        if (known is not { } at || at.Offset == start.Offset)
            return new Step(0, last); // Numbers go on in a new epoch.
        if (at.Covers(last))
            return new Step(messages);
        if (!at.Covers(start))
            return new Step(0, last, Hole(at, start));
        // Begins before: without positions of its own, nobody knows which of the messages came, and none comes twice.
        return positioned == messages ? new Step((int)(at.Offset - start.Offset), last) : new Step(messages, last, Hole(at, last));
    }

    private static PushGap Hole(PushPosition from, PushPosition to) => new(PushPosition.Between(from, to), GapReason.Hole, from, to);
}
