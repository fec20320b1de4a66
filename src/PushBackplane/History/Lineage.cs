namespace PushBackplane.History;

/// <summary>An older epoch of a room.</summary>
/// <param name="Epoch">The older epoch.</param>
/// <param name="Shared">The last offset at which it has the same messages as the epoch after it.</param>
public readonly record struct Ancestor(string Epoch, long Shared);

/// <summary>
/// A room's epoch and those it came from. When Redis fails over, the new server may lack the last messages of the old one: the room continues in a
/// new epoch, and its ancestor tells up to where both are the same. Immutable.
/// </summary>
/// <param name="Epoch">The epoch.</param>
/// <param name="Ancestors">Newest first.</param>
public sealed record Lineage(string Epoch, IReadOnlyList<Ancestor> Ancestors)
{
    /// <summary>The last offset that an epoch shares with this one; null if it is unknown, the largest number for the epoch itself.</summary>
    public long? SharedWith(string epoch)
    {
        if (epoch == Epoch)
            return long.MaxValue;
        var shared = long.MaxValue;
        foreach (var ancestor in Ancestors)
        {
            shared = Math.Min(shared, ancestor.Shared);
            if (ancestor.Epoch == epoch)
                return shared;
        }

        return null;
    }

    /// <summary>Finds where a client or node that stands at a position continues.</summary>
    /// <param name="since">Its position.</param>
    /// <param name="last">The last offset of this epoch.</param>
    /// <param name="floor">The offset before the oldest message kept.</param>
    public Continuation Locate(Position since, long last, long floor)
    {
        var shared = SharedWith(since.Epoch);
        if (shared is null || (since.Epoch == Epoch && since.Offset > last))
            return new Continuation(floor, IsExact: false);
        var start = Math.Min(since.Offset, shared.Value);
        return start < floor ? new Continuation(floor, IsExact: false) : new Continuation(start, since.Offset <= shared);
    }
}

/// <summary>Where somebody continues.</summary>
/// <param name="Start">The offset after which the messages to send begin, in the present epoch.</param>
/// <param name="IsExact">Whether nothing is missing between the old position and this one.</param>
public readonly record struct Continuation(long Start, bool IsExact);
