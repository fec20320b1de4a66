using PushLoad.Verification;

namespace PushLoad.Connections;

/// <summary>One connection's place in one room, or among its user's connections. Owned by the connection; one thread.</summary>
internal class Membership(LoadRoom room)
{
    public LoadRoom Room { get; } = room;

    public SequenceCheck Check { get; } = new(room.Times, room.Faults);

    public MembershipState State { get; set; }

    /// <summary>Its position; null unless connections keep them.</summary>
    public PositionCheck? Positions { get; init; }

    /// <summary>When its JOIN was sent.</summary>
    public long AskedAt { get; set; }

    /// <summary>Checks what connections send; null unless they do.</summary>
    public virtual SendCheck? Sends => null;

    /// <summary>Whether the server may send PUSHes of the room.</summary>
    public bool MayReceive => State is MembershipState.Joined or MembershipState.Leaving;
}

/// <summary>A place in a room into which connections send; its own type, so that other runs need no memory for it.</summary>
internal sealed class SendMembership(LoadRoom room) : Membership(room)
{
    public override SendCheck Sends { get; } = new();
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
