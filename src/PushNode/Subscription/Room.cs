using PushBackplane;
using PushNode.FanOut;
using PushNode.Framing;
using PushNode.Merging;

namespace PushNode.Subscription;

/// <summary>
/// One room of this node, from its first member until the linger after its last is over: what to subscribe to, how to merge, whom to push to. Made and retired by
/// <see cref="Rooms"/>; any thread.
/// </summary>
internal sealed class Room(RoomId id, string channel, IBackplaneServer home, RoomFrames frames, RoomMembers members, RoomMerge merge)
{
    /// <summary>Its name; the default value for the room of all connections.</summary>
    public RoomId Id { get; } = id;

    /// <summary>The backplane's channel.</summary>
    public string Channel { get; } = channel;

    /// <summary>The server on which the room's messages are published.</summary>
    public IBackplaneServer Home { get; } = home;

    /// <summary>Encodes for the room.</summary>
    public RoomFrames Frames { get; } = frames;

    /// <summary>Who gets the room's frames.</summary>
    public RoomMembers Members { get; } = members;

    /// <summary>The open batch.</summary>
    public RoomMerge Merge { get; } = merge;

    /// <summary>Completes when the backplane has acknowledged the channel: on its home, and wherever else it can be at the time.</summary>
    public Task Subscribed { get; private set; } = Task.CompletedTask;

    /// <summary>Sessions that want the room; guarded by the room's own lock, as is all below.</summary>
    public int Holders { get; set; }

    /// <summary>Counts how often the last holder has left: a linger is over only if nobody came and went since.</summary>
    public int Emptied { get; set; }

    /// <summary>The room is given up; whoever finds it still in the directory makes a new one.</summary>
    public bool IsRetired { get; set; }

    public void Subscribe(IBackplane backplane) => Subscribed = backplane.SubscribeAsync(Channel, Merge.Receive, Merge.TellGap);

    /// <summary>Completes when messages published from now on reach the room's members: its channel is acknowledged and its home is up.</summary>
    public Task ReceivingAsync()
    {
        return Subscribed.IsCompletedSuccessfully && Home.IsUp ? Task.CompletedTask : Both();

        async Task Both()
        {
            await Subscribed;
            await Home.Up;
        }
    }
}
