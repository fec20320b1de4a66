using System.Diagnostics;
using PushNode.Subscription;

namespace PushNode.Status;

/// <summary>One room in a <see cref="RoomRanking"/>.</summary>
/// <param name="Room">Its name.</param>
/// <param name="Members">Its members on this node.</param>
/// <param name="Rate">Messages per second since the look before; null if there was none.</param>
internal sealed record RankedRoom(string Room, int Members, double? Rate);

/// <summary>All rooms at one moment.</summary>
/// <param name="Rooms">Their number, lingering ones included.</param>
/// <param name="Members">The rooms with the most members, the largest first.</param>
/// <param name="Rates">The rooms with the most messages per second, the busiest first; empty without a look before.</param>
/// <param name="Over">The time over which the rates are; null if there was no look before.</param>
internal sealed record RoomRanking(int Rooms, IReadOnlyList<RankedRoom> Members, IReadOnlyList<RankedRoom> Rates, TimeSpan? Over);

/// <summary>
/// Finds the largest and busiest rooms when somebody looks. A look visits every room once without a lock, and everybody who looks within the
/// next second gets the same result, so the number of readers does not matter. After a long look it is more than a second: a look takes at most a
/// twentieth of one core. Lives as long as the node; any thread.
/// </summary>
internal sealed class TopRooms(Rooms rooms, TimeProvider time)
{
    /// <summary>The number of rooms in each list.</summary>
    public const int Count = 20;

    /// <summary>The most of one core's time that looks may take, as its inverse.</summary>
    private const int Share = 20;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>Rates over a longer time say little about now; a reader that returns after that begins again.</summary>
    private static readonly TimeSpan LongestRate = TimeSpan.FromSeconds(15);

    private static readonly Comparer<Seen> ByName = Comparer<Seen>.Create(static (a, b) => string.CompareOrdinal(a.Name, b.Name));

    private readonly Lock _lock = new();

    // Guarded by the lock.
    private RoomRanking? _last;
    private long _lookedAt;
    private TimeSpan _took;

    /// <summary>The number of looks so far.</summary>
    public long Looks { get; private set; }

    /// <summary>The ranking now, or that of the last second.</summary>
    public RoomRanking Rank()
    {
        lock (_lock)
        {
            var elapsed = time.GetElapsedTime(_lookedAt);
            if (_last is not null && elapsed < Pause + Share * _took)
                return _last;
            var over = _last is not null && elapsed <= LongestRate + Share * _took ? elapsed : (TimeSpan?)null;
            var began = Stopwatch.GetTimestamp();
            _lookedAt = time.GetTimestamp();
            _last = Look(over);
            _took = Stopwatch.GetElapsedTime(began);
            Looks++;
            return _last;
        }
    }

    private RoomRanking Look(TimeSpan? over)
    {
        Largest<Seen> members = new(Count), rates = new(Count);
        var count = 0;
        foreach (var room in rooms.All)
        {
            count++;
            var merged = room.Merged;
            var seen = new Seen(room, room.Members.Count, merged - room.MergedAtLook);
            room.MergedAtLook = merged;
            members.Add(seen, seen.Members);
            if (over is not null && seen.Messages > 0)
                rates.Add(seen, seen.Messages);
        }

        return new(count, Ranked(members, over), Ranked(rates, over), over);
    }

    /// <summary>Equal rooms by name, so that two looks agree.</summary>
    private static List<RankedRoom> Ranked(Largest<Seen> largest, TimeSpan? over) =>
        [.. largest.Descending(ByName).Select(seen => new RankedRoom(seen.Name, seen.Members, seen.Messages / over?.TotalSeconds))];

    /// <param name="Room">The room.</param>
    /// <param name="Members">Its members.</param>
    /// <param name="Messages">Its messages since the look before.</param>
    private readonly record struct Seen(Room Room, int Members, long Messages)
    {
        public string Name => Room.Topic.RoomId.ToString()!;
    }
}
