using System.Collections.Concurrent;
using PushBackplane;
using PushNode.FanOut;
using PushNode.History;
using PushNode.Messages;
using PushNode.Merging;
using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.Subscription;

/// <summary>
/// The rooms of this node. A room's first holder makes the node subscribe to its channel; when its last holder has left and the linger is
/// over, the node unsubscribes. Each room has its own lock, under which SUBSCRIBE and UNSUBSCRIBE are issued in the order of the changes
/// that cause them. Lives as long as the node; any thread.
/// </summary>
internal sealed class Rooms
{
    /// <summary>The number of lingering rooms above which the oldest are retired early: about 20 MB.</summary>
    internal const int MaxLingering = 10_000;

    private readonly ConcurrentDictionary<Topic, Room> _rooms = new();
    private readonly ConcurrentDictionary<IBackplaneServer, HomeWatch> _homes = new();
    private readonly LingeringRooms _lingering = new();
    private readonly IBackplane _backplane;
    private readonly MergeWorkers _merging;
    private readonly Shards _shards;
    private readonly SubscriptionSettings _settings;
    private readonly NodeMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly Failures _failures;
    private readonly MemberChanges? _changes;
    private int _count;

    public Rooms(
        IBackplane backplane, MergeWorkers merging, Shards shards, SubscriptionSettings settings, NodeMetrics metrics, TimeProvider time,
        ILogger<Rooms> logger, MemberChanges? changes = null, WatchedRooms? watched = null, RoomPolicies? policies = null, Histories? histories = null)
    {
        Policies = policies ?? RoomPolicies.None;
        (_backplane, _merging, _shards, _settings, _metrics, _time) = (backplane, merging, shards, settings, metrics, time);
        (_changes, Watched, Histories) = (changes, watched, histories);
        _failures = new Failures(FailedStage.Subscription, metrics, time, logger);
        Everyone = Create(Topic.All, shards.Everyone, change: null);
        metrics.CountRooms(() => Count);
    }

    /// <summary>Makes what rooms remember; null if the node remembers nothing.</summary>
    public Histories? Histories { get; }

    /// <summary>What holds for rooms by their names.</summary>
    public RoomPolicies Policies { get; }

    /// <summary>The room that all connections but <see cref="Strangers"/> are in; its channel carries the broadcasts.</summary>
    public Room Everyone { get; }

    /// <inheritdoc cref="Shards.Strangers"/>
    public RoomMembers Strangers => _shards.Strangers;

    /// <summary>The rooms whose members ask how many they are; null if nobody counts.</summary>
    public WatchedRooms? Watched { get; }

    /// <summary>The number of rooms, of users too, lingering ones included.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>
    /// All rooms, without those of broadcasts and of users, and without a lock: those that open or retire meanwhile may be among them or not.
    /// </summary>
    public IEnumerable<Room> All => _rooms.Where(static entry => entry.Key.RoomId is not null).Select(static entry => entry.Value);

    /// <summary>The room of a topic; null if the node has none.</summary>
    public Room? Find(Topic topic) => topic == Topic.All ? Everyone : _rooms.GetValueOrDefault(topic);

    /// <summary>Subscribes to broadcasts. Called once.</summary>
    public void SubscribeToBroadcasts() => _ = ReportAsync(Everyone, Everyone.Subscribe(_backplane));

    /// <summary>Holds a room, and opens it if it is new. Each successful call needs one <see cref="Release"/>.</summary>
    /// <param name="topic">Any but <see cref="Topic.All"/>, which is <see cref="Everyone"/>.</param>
    /// <returns>The room; null if the node is at its room limit.</returns>
    public Room? Hold(Topic topic) => Hold(topic, out _);

    /// <inheritdoc cref="Hold(Topic)"/>
    /// <param name="topic">Any but <see cref="Topic.All"/>, which is <see cref="Everyone"/>.</param>
    /// <param name="holders">How many hold the room now: different for each of those that hold it at the same time.</param>
    public Room? Hold(Topic topic, out int holders)
    {
        ArgumentOutOfRangeException.ThrowIfEqual(topic, Topic.All);
        holders = 0;
        while (true)
        {
            if ((_rooms.GetValueOrDefault(topic) ?? OpenRoom(topic)) is not { } room)
                return null;
            lock (room)
            {
                // Retired between the look-up and the lock, and no longer in the directory.
                if (room.IsRetired)
                    continue;
                if (room.Subscribed is null)
                    _ = ReportAsync(room, room.Subscribe(_backplane));
                holders = ++room.Holders;
                if (holders == 1)
                    _lingering.Remove(room);
                return room;
            }
        }
    }

    /// <summary>Releases a room; it lingers if it has no other holder.</summary>
    public void Release(Room room)
    {
        lock (room)
        {
            if (--room.Holders == 0)
                _lingering.Add(room, _time.GetTimestamp());
        }

        while (_lingering.TakeOldestBeyond(MaxLingering) is { } oldest)
            Retire(oldest);
    }

    /// <summary>Retires the rooms whose linger is over.</summary>
    public void RetireLingering()
    {
        var since = _time.GetTimestamp() - (long)(_settings.Linger.TotalSeconds * _time.TimestampFrequency);
        while (_lingering.TakeOldestSince(since) is { } oldest)
            Retire(oldest);
    }

    /// <summary>Lets go of what rooms remember for too long although nothing new comes.</summary>
    public void TrimHistories()
    {
        if (Histories is null)
            return;
        foreach (var (_, room) in _rooms)
            room.History?.Trim();
    }

    /// <summary>Tells the JOINs that wait for a room its state now.</summary>
    public void Tell(Room room)
    {
        try
        {
            room.TellWaiting();
            if (room.State == RoomState.Away)
                room.History?.TellAway();
        }
        catch (Exception e)
        {
            // A bug: this room's waiting clients may get no answer; other rooms are not affected.
            _failures.Add(log => log.SubscriptionFailed(room.Channel.Name, e));
        }
    }

    /// <summary>A room's history has changed: JOINs that wait for it, or for the room to open, are tried again.</summary>
    private void TellHistory(Room room)
    {
        var waits = room.History!.TakeWaits();
        Tell(room);
        foreach (var wait in waits)
            wait.OnHistory();
    }

    /// <summary>Retires a room that was removed from the lingering ones, unless it has been held again since.</summary>
    private void Retire(Room room)
    {
        lock (room)
        {
            if (room.IsRetired || room.Holders > 0 || _lingering.Contains(room))
                return;
            room.IsRetired = true;
            // Before the room leaves the directory, so that a new room's SUBSCRIBE comes after it. The acknowledgement does not matter.
            _ = _backplane.UnsubscribeAsync(room.Channel);
            _rooms.TryRemove(KeyValuePair.Create(room.Topic, room));
            Interlocked.Decrement(ref _count);
            room.History?.Close();
        }
    }

    /// <returns>The room that is now in the directory; null if the node is at its room limit.</returns>
    private Room? OpenRoom(Topic topic)
    {
        while (Interlocked.Increment(ref _count) > _settings.MaxRooms)
        {
            Interlocked.Decrement(ref _count);
            // A lingering room makes way for a wanted one.
            if (_lingering.TakeOldestBeyond(0) is not { } oldest)
                return null;
            Retire(oldest);
        }

        var change = _changes?.Watch(topic);
        var created = Create(topic, new RoomMembers(_shards, change), change);
        Watch(created.Channel.Home);
        var room = _rooms.GetOrAdd(topic, created);
        if (room != created)
            Interlocked.Decrement(ref _count);
        return room;
    }

    private Room Create(Topic topic, RoomMembers members, MemberChange? change)
    {
        var frames = new RoomFrames(topic, _time);
        var channel = _backplane.Channel(topic);
        var policy = topic.RoomId is { } id ? Policies.Of(id) : RoomPolicy.None;
        var history = topic.RoomId is { } name ? Histories?.Open(name, channel.Home, policy, frames) : null;
        var room = new Room(topic, channel, frames, members, _merging.For(topic), _metrics, change, history) { Policy = policy };
        if (history is not null)
        {
            history.Ask = room.AskForHistory;
            history.Changed = () => ThreadPool.UnsafeQueueUserWorkItem(static entry => entry.Rooms.TellHistory(entry.Room), (Rooms: this, Room: room), preferLocal: false);
        }

        return room;
    }

    private void Watch(IBackplaneServer home)
    {
        if (!_homes.ContainsKey(home))
            _homes.GetOrAdd(home, new HomeWatch(home)).Start(() => OnHomeChanged(home));
    }

    private void OnHomeChanged(IBackplaneServer home)
    {
        foreach (var (_, room) in _rooms)
        {
            if (room.Channel.Home == home)
                Tell(room);
        }
    }

    /// <summary>Tells the room's waits once the channel is acknowledged.</summary>
    private async Task ReportAsync(Room room, Task subscribed)
    {
        // Continues outside the room's lock, which the caller holds.
        await subscribed.ConfigureAwait(ConfigureAwaitOptions.ForceYielding | ConfigureAwaitOptions.SuppressThrowing);
        if (subscribed.Exception is { } bug)
            _failures.Add(log => log.SubscriptionFailed(room.Channel.Name, bug));
        // Cancellation is expected: the room has been retired, or the program ends.
        if (!subscribed.IsCompletedSuccessfully)
            return;
        room.Open();
        Tell(room);
    }
}
