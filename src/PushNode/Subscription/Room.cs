using PushBackplane;
using PushNode.FanOut;
using PushNode.History;
using PushNode.Messages;
using PushNode.Merging;
using PushNode.Telemetry;

namespace PushNode.Subscription;

/// <summary>Whether messages published to a room from now on reach the node.</summary>
internal enum RoomState
{
    /// <summary>The channel is not acknowledged yet, or the node has not yet tried to connect to the room's server.</summary>
    Pending,

    /// <summary>The channel is acknowledged and the room's server is up.</summary>
    Receiving,

    /// <summary>The room's server is unavailable.</summary>
    Away,
}

/// <summary>
/// One room of this node, from its first holder until its linger ends: its channel, members, open batch, and the JOINs that wait for it.
/// Made and retired by <see cref="Rooms"/>; any thread. Its lock is the room itself.
/// </summary>
internal sealed class Room(
    Topic topic, BackplaneChannel channel, RoomFrames frames, RoomMembers members, MergeWorker merging, NodeMetrics metrics, MemberChange? change = null,
    RoomHistory? history = null)
{
    private readonly RoomBatch _batch = new(frames, members, history);
    private RoomUsers? _users;

    /// <summary>
    /// The waits. Those that have not been told of an outage come first, so that <see cref="TellWaiting"/> never searches. Null before the
    /// first wait.
    /// </summary>
    private LinkedList<RoomWait>? _waits;

    /// <summary>Which messages the room carries: a room's, or the broadcasts.</summary>
    public Topic Topic { get; } = topic;

    /// <summary>The backplane's channel, with its home.</summary>
    public BackplaneChannel Channel { get; } = channel;

    /// <summary>What holds for the room; looked up when it opens.</summary>
    public RoomPolicy Policy { get; init; } = RoomPolicy.None;

    /// <summary>Encodes for the room.</summary>
    public RoomFrames Frames { get; } = frames;

    /// <summary>The recipients of the room's frames.</summary>
    public RoomMembers Members { get; } = members;

    /// <summary>
    /// Completes when the backplane has acknowledged the channel on its home and on every other available server. Null before
    /// <see cref="Subscribe"/>.
    /// </summary>
    public Task? Subscribed { get; private set; }

    /// <summary>Whether messages published from now on reach the room's members.</summary>
    public RoomState State =>
        Channel.Home.Up.IsCompletedSuccessfully ? Subscribed is { IsCompletedSuccessfully: true } && !IsCountAwaited && history is not { IsOpening: true } ? RoomState.Receiving : RoomState.Pending
        : Channel.Home.Away.IsCompletedSuccessfully ? RoomState.Away
        : RoomState.Pending;

    /// <summary>Lists the room when its members change; null if nobody counts.</summary>
    public MemberChange? Change => change;

    /// <summary>The users among its members; null before the first, or if nobody counts.</summary>
    public RoomUsers? Users => Volatile.Read(ref _users);

    /// <summary>What the node remembers of the room; null for nothing.</summary>
    public RoomHistory? History => history;

    /// <summary>Guarded by the lock of <see cref="WatchedRooms"/>: whether it is in that list.</summary>
    public bool IsWatched { get; set; }

    private bool IsCountAwaited => Frames.Online is { IsAwaited: true };

    /// <summary>Messages that have left in a batch since the room opened.</summary>
    public long Merged => _batch.Merged;

    /// <summary>Batches that have left since the room opened.</summary>
    public long Batches => _batch.Batches;

    /// <summary>The number of messages in the last batch; 0 before the first.</summary>
    public int LastMerged => _batch.LastMerged;

    /// <summary><see cref="Merged"/> as the last look at all rooms found it. Used by one thread at a time: the one that looks.</summary>
    public long MergedAtLook { get; set; }

    /// <summary>The number of sessions that hold the room. Guarded by the room's lock, like all members below.</summary>
    public int Holders { get; set; }

    /// <summary>Its node in the list of rooms without holders; null until it is first there.</summary>
    public LinkedListNode<Room>? Lingering { get; set; }

    /// <summary>When its last holder left, as a time stamp.</summary>
    public long LingersSince { get; set; }

    /// <summary>The room is retired; a session that still finds it in the directory opens a new one.</summary>
    public bool IsRetired { get; set; }

    /// <summary>A member of this user has entered.</summary>
    /// <param name="user">The user's hash; 0 for a member without a user.</param>
    public void UserEntered(ulong user)
    {
        if (change is null || user == 0)
            return;
        if (_users is null)
            Interlocked.CompareExchange(ref _users, new RoomUsers(), null);
        _users.Enter(user);
        change.Mark();
    }

    /// <summary>A member of this user has left.</summary>
    /// <inheritdoc cref="UserEntered"/>
    public void UserLeft(ulong user)
    {
        if (change is null || user == 0)
            return;
        _users?.Leave(user);
        change.Mark();
    }

    /// <returns><see cref="Subscribed"/>.</returns>
    public Task Subscribe(IBackplane backplane) => Subscribed =
        backplane.SubscribeAsync(Channel, payload => merging.Enqueue(_batch, payload), OnLoss);

    /// <summary>The channel is acknowledged for the first time: a room with history is read, and then its JOINs are answered.</summary>
    public void Open()
    {
        if (history?.Follower is not null)
            merging.EnqueueHeal(_batch);
    }

    /// <summary>JOINs wait for a read of the room's history.</summary>
    public void AskForHistory() => merging.EnqueueAsk(_batch);

    private void OnLoss(IBackplaneServer server)
    {
        // What is published elsewhere than at the home has no position.
        if (history?.Follower is not null && server == Channel.Home)
            merging.EnqueueHeal(_batch);
        else
            merging.EnqueueGap(_batch);
    }

    /// <summary>
    /// Begins a wait, unless the node already receives the room. The caller holds the room until the wait ends or is withdrawn.
    /// </summary>
    /// <returns>The room's state; if it is <see cref="RoomState.Receiving"/>, no wait has begun.</returns>
    public RoomState Wait(RoomWait wait)
    {
        lock (this)
        {
            // Read under the lock: a later change finds the wait in the list.
            var state = State;
            if (state != RoomState.Receiving)
            {
                wait.KnowsOfOutage = state == RoomState.Away;
                AddLocked(wait);
                metrics.JoinsWaiting(1);
            }

            return state;
        }
    }

    /// <summary>Withdraws a wait; does nothing if it has ended.</summary>
    public void Withdraw(RoomWait wait)
    {
        lock (this)
        {
            if (wait.Place.List is null)
                return;
            _waits!.Remove(wait.Place);
            metrics.JoinsWaiting(-1);
        }
    }

    /// <summary>
    /// Tells each wait the current state, one by one and without the lock, so waits may be withdrawn and the state may change in between.
    /// </summary>
    public void TellWaiting()
    {
        while (NextToTell(out var state) is { } wait)
        {
            if (state == RoomState.Receiving)
                wait.OnReceiving();
            else
                wait.OnAway();
        }
    }

    /// <summary>
    /// The next wait to tell: removed from the list if the node receives the room, otherwise marked as told of the outage.
    /// </summary>
    private RoomWait? NextToTell(out RoomState state)
    {
        lock (this)
        {
            state = State;
            if (_waits?.First is not { Value: var wait } place || state == RoomState.Pending || (state == RoomState.Away && wait.KnowsOfOutage))
                return null;
            _waits.Remove(place);
            if (state == RoomState.Receiving)
            {
                metrics.JoinsWaiting(-1);
            }
            else
            {
                wait.KnowsOfOutage = true;
                AddLocked(wait);
            }

            return wait;
        }
    }

    private void AddLocked(RoomWait wait)
    {
        _waits ??= new LinkedList<RoomWait>();
        if (wait.KnowsOfOutage)
            _waits.AddLast(wait.Place);
        else
            _waits.AddFirst(wait.Place);
    }
}
