namespace PushLoad.Connections;

/// <summary>Where a membership stands, by what was sent and what was answered.</summary>
internal enum MembershipState
{
    Out,

    /// <summary>JOIN went out, JOINED has not come.</summary>
    Joining,
    Joined,

    /// <summary>LEAVE went out, LEFT has not come.</summary>
    Leaving,
}
