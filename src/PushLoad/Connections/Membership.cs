using PushLoad.Verification;

namespace PushLoad.Connections;

/// <summary>One connection's place in one room. Owned by the connection; one thread.</summary>
internal sealed class Membership(LoadRoom room)
{
    public LoadRoom Room { get; } = room;

    public SequenceCheck Check { get; } = new(room.Times, room.Faults);

    public MembershipState State { get; set; }

    /// <summary>Whether the server may send PUSHes of the room.</summary>
    public bool MayReceive => State is MembershipState.Joined or MembershipState.Leaving;
}

/// <summary>Follows from what was sent and what the server answered.</summary>
internal enum MembershipState
{
    Out,

    /// <summary>JOIN is sent, JOINED has not arrived.</summary>
    Joining,
    Joined,

    /// <summary>LEAVE is sent, LEFT has not arrived.</summary>
    Leaving,
}
