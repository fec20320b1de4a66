using PushNode.Subscription;

namespace PushNode.Protocol;

/// <summary>A JOIN that waits for its room to be received. Made when it begins to wait and dropped when it is answered or withdrawn; guarded by the session's lock, except as <see cref="RoomWait"/> says.</summary>
/// <param name="session">The session whose JOIN it is.</param>
/// <param name="room">The room it is to enter.</param>
/// <param name="id">The JOIN's id.</param>
internal sealed class JoinWait(Session session, JoinedRoom room, string? id) : RoomWait
{
    /// <summary>What it is to enter.</summary>
    public JoinedRoom Room { get; } = room;

    /// <summary>The ids of the JOINs to answer, in their order, null for one without; several when the JOIN was repeated.</summary>
    public List<string?> Ids { get; } = [id];

    /// <summary>The client knows that JOINED comes later, and later requests have passed this one.</summary>
    public bool HasSteppedAside { get; set; }

    public override void OnReceiving() => session.OnReceiving(this);

    public override void OnAway() => session.OnAway(this);
}
