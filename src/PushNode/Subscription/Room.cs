using PushBackplane;
using PushNode.FanOut;
using PushNode.Framing;
using PushNode.Merging;

namespace PushNode.Subscription;

/// <summary>
/// One room of this node, from its first member until the linger after its last is over: what to subscribe to, how to merge, whom to push to. Made and retired by
/// <see cref="Rooms"/>; any thread.
/// </summary>
internal sealed class Room(string channel, RoomFrames frames, RoomMembers members, RoomMerge merge)
{
    /// <summary>The backplane's channel.</summary>
    public string Channel { get; } = channel;

    /// <summary>Encodes for the room.</summary>
    public RoomFrames Frames { get; } = frames;

    /// <summary>Who gets the room's frames.</summary>
    public RoomMembers Members { get; } = members;

    /// <summary>The open batch.</summary>
    public RoomMerge Merge { get; } = merge;

    /// <summary>Completes when the backplane has acknowledged the channel.</summary>
    public Task Subscribed { get; private set; } = Task.CompletedTask;

    /// <summary>Sessions that want the room; guarded by the room's own lock, as is all below.</summary>
    public int Holders { get; set; }

    /// <summary>Counts how often the last holder has left: a linger is over only if nobody came and went since.</summary>
    public int Emptied { get; set; }

    /// <summary>The room is given up; whoever finds it still in the directory makes a new one.</summary>
    public bool IsRetired { get; set; }

    public void Subscribe(IBackplane backplane) => Subscribed = backplane.SubscribeAsync(Channel, Merge.Receive);
}
