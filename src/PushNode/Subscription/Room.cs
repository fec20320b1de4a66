using PushBackplane;
using PushNode.FanOut;
using PushNode.Messages;
using PushNode.Merging;
using PushNode.Telemetry;

namespace PushNode.Subscription;

/// <summary>
/// One room of this node, from its first member until the linger after its last is over: its channel, its open batch, its members, and the JOINs that wait for it. Made and
/// retired by <see cref="Rooms"/>; any thread.
/// </summary>
internal sealed class Room(Topic topic, BackplaneChannel channel, RoomFrames frames, RoomMembers members, RoomMerge merge, NodeMetrics metrics)
{
    /// <summary>The waits; those that do not know of an outage come first, so that telling them never searches. Null until the first wait.</summary>
    private LinkedList<RoomWait>? _waits;

    /// <summary>Whose messages the room carries: those of one room, or of all connections.</summary>
    public Topic Topic { get; } = topic;

    /// <summary>The backplane's channel, with the server on which the room's messages are published.</summary>
    public BackplaneChannel Channel { get; } = channel;

    /// <summary>Encodes for the room.</summary>
    public RoomFrames Frames { get; } = frames;

    /// <summary>Who gets the room's frames.</summary>
    public RoomMembers Members { get; } = members;

    /// <summary>The open batch.</summary>
    public RoomMerge Merge { get; } = merge;

    /// <summary>Completes when the backplane has acknowledged the channel: on its home, and wherever else it can be at the time. Null before <see cref="Subscribe"/>.</summary>
    public Task? Subscribed { get; private set; }

    /// <summary>Whether messages published from now on reach the room's members.</summary>
    public RoomState State =>
        Channel.Home.Up.IsCompletedSuccessfully ? Subscribed is { IsCompletedSuccessfully: true } ? RoomState.Receiving : RoomState.Pending
        : Channel.Home.Away.IsCompletedSuccessfully ? RoomState.Away
        : RoomState.Pending;

    /// <summary>Sessions that want the room; guarded by the room's own lock, as is all below.</summary>
    public int Holders { get; set; }

    /// <summary>Its place among the rooms without holders; null until it first was one.</summary>
    public LinkedListNode<Room>? Lingering { get; set; }

    /// <summary>When its last holder left, as a time stamp.</summary>
    public long LingersSince { get; set; }

    /// <summary>The room is given up; whoever finds it still in the directory makes a new one.</summary>
    public bool IsRetired { get; set; }

    /// <returns><see cref="Subscribed"/>.</returns>
    public Task Subscribe(IBackplane backplane) => Subscribed = backplane.SubscribeAsync(Channel, Merge.Receive, Merge.TellGap);

    /// <summary>Begins a wait, unless there is nothing to wait for. The caller holds the room until the wait is over or withdrawn.</summary>
    /// <returns>The state in which the wait begins; it does not when the room is <see cref="RoomState.Receiving"/>.</returns>
    public RoomState Wait(RoomWait wait)
    {
        lock (this)
        {
            // Looked at under the lock: a change that comes after the look finds the wait in the list.
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

    /// <summary>Withdraws a wait. Does nothing when it is over already.</summary>
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

    /// <summary>Tells each wait the current state, one by one and without a lock: waits may be withdrawn, and the state may change, meanwhile.</summary>
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

    /// <summary>Takes the next one to tell out of the list if the room is received, or notes that it knows of the outage.</summary>
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
