using PushLoad.Messages;

namespace PushLoad.Verification;

/// <summary>
/// Keeps one member's position in one room, over all of its connections, and checks that what the server says continues exactly there. An epoch may
/// change while offsets go on: that is a failover that lost nothing. Owned by its connection; one thread.
/// </summary>
internal sealed class PositionCheck
{
    private long _askedAt;

    /// <summary>Where the member stands; null before its first JOINED and in a room without history.</summary>
    public Position? At { get; private set; }

    /// <summary>Whether it was ever in the room.</summary>
    public bool HasJoined { get; private set; }

    /// <summary>Whether it has been answered that its position is recovered, and has not yet received what it missed.</summary>
    public bool IsCatchingUp => _askedAt != 0;

    /// <summary>A JOINED. Afterwards the member is where it says.</summary>
    /// <param name="recovered">What it says of the position that was asked for; null if it says nothing.</param>
    /// <param name="at">Its position; null without one.</param>
    /// <param name="askedAt">When the JOIN was sent.</param>
    /// <returns>What is wrong with it; null if nothing is.</returns>
    public string? Join(bool? recovered, Position? at, long askedAt)
    {
        var before = At;
        (At, HasJoined, _askedAt) = (at, true, recovered == true ? askedAt : 0);
        if (at is null)
            return "JOINED without a position: the room has no history";
        if (before is null)
            return recovered is null ? null : "JOINED says recovered, but no position was asked for";
        if (recovered is null)
            return "JOINED does not say whether the position is recovered";
        return recovered.Value && at.Value.Offset != before.Value.Offset ? "JOINED says recovered, but is at another position" : null;
    }

    /// <summary>A PUSH.</summary>
    /// <param name="end">The position behind its last positioned item; null if it has none.</param>
    /// <param name="count">The number of positioned items.</param>
    /// <returns>What is wrong with it; null if nothing is.</returns>
    public string? Push(Position? end, long count)
    {
        if (end is not { } last)
            return null;
        var before = At;
        At = last;
        if (before is not { } at || last.Offset - count == at.Offset)
            return null;
        return last.Offset - count > at.Offset ? "PUSH leaves a hole behind the position" : "PUSH repeats what is before the position";
    }

    /// <summary>A GAP.</summary>
    /// <returns>What is wrong with it; null if nothing is.</returns>
    public string? Gap(Position? from, Position? to)
    {
        if (from is null || to is null)
            return At is null ? null : "GAP without from and to";
        var before = At;
        At = to;
        return before is { } at && from.Value.Offset != at.Offset ? "GAP does not begin at the position" : null;
    }

    /// <summary>A message arrived that was due at a time.</summary>
    /// <returns>When the JOIN was sent with which the member has now caught up; null if it has not, or had before.</returns>
    public long? CatchUp(long dueAt)
    {
        if (_askedAt == 0 || dueAt < _askedAt)
            return null;
        var askedAt = _askedAt;
        _askedAt = 0;
        return askedAt;
    }
}
