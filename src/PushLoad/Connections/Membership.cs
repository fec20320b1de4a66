using PushLoad.Verification;

namespace PushLoad.Connections;

/// <summary>One connection's place in one room. Owned by the connection; one thread.</summary>
internal sealed class Membership(LoadRoom room)
{
    public LoadRoom Room { get; } = room;

    public SequenceCheck Check { get; } = new(room.Times, room.Faults);

    public MembershipState State { get; set; }

    /// <summary>Whether PUSHes may come.</summary>
    public bool MayReceive => State is MembershipState.Joined or MembershipState.Leaving;
}
