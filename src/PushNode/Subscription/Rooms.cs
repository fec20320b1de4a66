using System.Collections.Concurrent;
using PushBackplane;
using PushNode.FanOut;
using PushNode.Framing;
using PushNode.Merging;
using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.Subscription;

/// <summary>
/// The rooms of this node: the first holder subscribes the room's channel, the last one's leaving unsubscribes it after a linger. Each room has a lock of its own; a
/// channel's SUBSCRIBE and UNSUBSCRIBE are issued in the order of the changes that cause them. Lives as long as the node; any thread.
/// </summary>
internal sealed class Rooms
{
    /// <summary>
    /// Rooms that linger at once, beyond which the oldest are given up early: about 20 MB. Two clients that join and leave ever new rooms as fast as
    /// they can made 380,000 within one linger of 10 s.
    /// </summary>
    internal const int MaxLingering = 10_000;

    private readonly ConcurrentDictionary<RoomId, Room> _rooms = new();
    private readonly ConcurrentQueue<Lingering> _lingering = new();
    private readonly IBackplane _backplane;
    private readonly PushChannels _channels;
    private readonly MergeWorkers _merging;
    private readonly Shards _shards;
    private readonly TimeSpan _linger;
    private readonly TimeProvider _time;

    public Rooms(IBackplane backplane, PushChannels channels, MergeWorkers merging, Shards shards, SubscriptionSettings settings, NodeMetrics metrics, TimeProvider time)
    {
        _backplane = backplane;
        _channels = channels;
        _merging = merging;
        _shards = shards;
        _linger = settings.Linger;
        _time = time;
        var frames = new RoomFrames(null);
        Everyone = new Room(default, channels.All, backplane.Home(channels.All), frames, shards.Everyone, merging.Open(null, frames, shards.Everyone));
        metrics.CountRooms(() => _rooms.Count);
    }

    /// <summary>The room of all connections, whose channel carries the broadcasts.</summary>
    public Room Everyone { get; }

    /// <summary>Subscribes to broadcasts. Called once.</summary>
    public void Open() => Everyone.Subscribe(_backplane);

    /// <summary>Holds a room, opening it if need be. Each call is undone by one <see cref="Release"/>.</summary>
    public Room Hold(RoomId id)
    {
        while (true)
        {
            var room = _rooms.GetOrAdd(id, Create);
            lock (room)
            {
                // Given up between the look-up and the lock: it leaves the directory before that lock is free.
                if (room.IsRetired)
                    continue;
                if (room.Holders++ == 0 && room.Emptied == 0)
                    room.Subscribe(_backplane);
                return room;
            }
        }
    }

    /// <summary>Lets go of a room; it lingers if nobody else holds it.</summary>
    public void Release(Room room)
    {
        lock (room)
        {
            if (--room.Holders == 0)
                _lingering.Enqueue(new Lingering(room, ++room.Emptied, _time.GetTimestamp()));
        }

        while (_lingering.Count > MaxLingering && _lingering.TryDequeue(out var oldest))
            Retire(oldest);
    }

    /// <summary>
    /// Gives up the rooms whose linger is over. One caller at a time. A room that a release of too many takes away meanwhile makes the next one go early.
    /// </summary>
    public void RetireLingering()
    {
        while (_lingering.TryPeek(out var oldest) && _time.GetElapsedTime(oldest.Since) >= _linger && _lingering.TryDequeue(out oldest))
            Retire(oldest);
    }

    private void Retire(Lingering lingering)
    {
        var room = lingering.Room;
        lock (room)
        {
            if (room.Holders > 0 || room.Emptied != lingering.Emptied)
                return;
            room.IsRetired = true;
            // Before the room leaves the directory, so that a new room's SUBSCRIBE comes after it.
            _ = _backplane.UnsubscribeAsync(room.Channel);
            _rooms.TryRemove(KeyValuePair.Create(room.Id, room));
        }
    }

    private Room Create(RoomId id)
    {
        var frames = new RoomFrames(id);
        var members = new RoomMembers(_shards);
        var channel = _channels.Room(id);
        return new Room(id, channel, _backplane.Home(channel), frames, members, _merging.Open(id, frames, members));
    }

    private readonly record struct Lingering(Room Room, int Emptied, long Since);
}
