using PushNode.History;
using PushNode.Subscription;

namespace PushNode.Protocol;

/// <summary>
/// A JOIN that waits until the node receives its room, or for the room's history. Lives until the JOIN is answered or withdrawn. Guarded by the session's lock, except
/// as <see cref="RoomWait"/> says.
/// </summary>
/// <param name="session">The session of the client.</param>
/// <param name="room">The room to enter.</param>
/// <param name="id">The JOIN's id.</param>
/// <param name="resume">Where the client wants to begin; null to begin with what comes next.</param>
internal sealed class JoinWait(Session session, JoinedRoom room, string? id, Resume? resume) : RoomWait, IResumeWait
{
    /// <summary>The room to enter.</summary>
    public JoinedRoom Room { get; } = room;

    /// <summary>Where the client wants to begin; null to begin with what comes next.</summary>
    public Resume? Resume { get; } = resume;

    /// <summary>
    /// The ids of the JOINs to answer, in order; null for one without an id. More than one if the client repeated the JOIN.
    /// </summary>
    public List<string?> Ids { get; } = [id];

    /// <summary>The client knows that JOINED comes later, and later requests do not wait for this one.</summary>
    public bool HasSteppedAside { get; set; }

    public override void OnReceiving() => session.OnReceiving(this);

    public override void OnAway() => session.OnAway(this);

    public void OnHistory() => session.OnHistory(this);
}
