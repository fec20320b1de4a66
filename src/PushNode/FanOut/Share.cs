using System.Buffers;
using PushNode.Connections;
using PushNode.Messages;

namespace PushNode.FanOut;

/// <summary>
/// A flight's frame for one set of members. Its members are listed once, at its first turn, and each gets one push, however many turns that takes:
/// one who leaves meanwhile is skipped by its connection, and one who comes later is not in the list. Owned by a <see cref="ShardQueue"/> and its
/// thread, which alone uses what is not marked.
/// </summary>
internal sealed class Share(Flight flight, Frame frame, MemberSet members)
{
    private Membership[]? _listed;
    private bool _isRented;
    private int _start;
    private int _count;
    private int _tried;

    public Flight Flight { get; } = flight;

    public Frame Frame { get; } = frame;

    public MemberSet Members { get; } = members;

    /// <summary>The set's next frame. Guarded by the queue's lock.</summary>
    public Share? Next { get; set; }

    /// <summary>The period in which it was queued. Guarded by the queue's lock.</summary>
    public Period? Queued { get; set; }

    /// <summary>Whether the members are listed.</summary>
    public bool IsBegun => _listed is not null;

    /// <summary>The number of members that <see cref="Take"/> has returned.</summary>
    public int Tried => _tried;

    /// <summary>The number of members that are still to be tried.</summary>
    public int Left => _count - _tried;

    /// <summary>Whether it keeps its list from turn to turn. One that does not must have all its members taken in the turn in which it began.</summary>
    public bool MayWait => _isRented;

    /// <summary>Lists the members.</summary>
    public void Begin(Shard shard)
    {
        _isRented = true;
        _listed = ArrayPool<Membership>.Shared.Rent(Math.Max(1, Members.Count));
        _count = shard.List(Members, ref _listed);
    }

    /// <summary>Lists the members in a buffer that several frames share for one turn. Under the shard's lock.</summary>
    /// <param name="buffer">Receives them.</param>
    /// <param name="used">Its members so far.</param>
    public void BeginLocked(Membership[] buffer, ref int used)
    {
        (_listed, _start) = (buffer, used);
        Members.TryListLocked(buffer.AsSpan(used), out _count);
        used += _count;
    }

    /// <summary>The next members to try.</summary>
    public ReadOnlySpan<Membership> Take(int most)
    {
        var taken = _listed.AsSpan(_start + _tried, Math.Min(most, Left));
        _tried += taken.Length;
        return taken;
    }

    /// <summary>Releases the list, which would keep ended connections alive, and tells the flight.</summary>
    public void End()
    {
        if (_isRented)
        {
            _listed.AsSpan(0, _count).Clear();
            ArrayPool<Membership>.Shared.Return(_listed!);
        }

        _listed = null;
        Flight.End(_tried);
    }
}
