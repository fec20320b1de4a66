using System.Threading.Channels;

namespace PushNode.Subscription;

/// <summary>
/// The rooms with members who asked for the number of the farm's members. Lives as long as the node; any thread. Its lock is taken under a session's
/// and takes no other.
/// </summary>
/// <param name="isOneProcess">Whether this node is the whole farm, so that nothing is elsewhere.</param>
internal sealed class WatchedRooms(bool isOneProcess)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Room> _all = new();
    // Has each room of the list at most once.
    private readonly Channel<Room> _asking = Channel.CreateUnbounded<Room>(new UnboundedChannelOptions { SingleReader = true });

    /// <summary>The number of rooms, those that nobody asks for any more included until they are next taken.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _all.Count;
        }
    }

    /// <summary>The rooms whose JOINs wait for the number.</summary>
    public ChannelReader<Room> Asking => _asking.Reader;

    /// <summary>A member who asked leaves.</summary>
    public static void Leave(Room room) => room.Frames.Online!.Leave();

    /// <summary>One more member asks. If the number is unknown, the room's JOINs wait until it is asked for.</summary>
    public void Ask(Room room)
    {
        lock (_lock)
        {
            var notice = room.Frames.Online ?? room.Frames.AddOnline(() => room.Members.Count);
            notice.Ask();
            if (isOneProcess)
            {
                notice.Answer(0);
                return;
            }

            if (!room.IsWatched)
                _all.AddLast(room);
            room.IsWatched = true;
            if (!notice.IsAwaited && notice.Await())
                _asking.Writer.TryWrite(room);
        }
    }

    /// <summary>The rooms whose turn it is to be brought up to date, and drops those for which nobody asks any more.</summary>
    /// <param name="most">The most rooms to take; those that have waited longest come first.</param>
    public List<Room> TakeDue(int most)
    {
        lock (_lock)
        {
            var taken = new List<Room>();
            for (var left = _all.Count; left > 0 && taken.Count < most; left--)
            {
                var place = _all.First!;
                _all.Remove(place);
                if (place.Value.Frames.Online is { Askers: > 0 })
                {
                    _all.AddLast(place);
                    taken.Add(place.Value);
                }
                else
                {
                    place.Value.IsWatched = false;
                    place.Value.Frames.Online!.Forget();
                }
            }

            return taken;
        }
    }
}
