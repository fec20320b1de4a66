namespace PushNode.Tests.History.Model;

/// <summary>Protocols that nearly work. The model must catch each of them.</summary>
public enum Wrong
{
    Nothing,

    /// <summary>The first read does not wait until SUBSCRIBE is acknowledged.</summary>
    ReadBeforeAcknowledgement,

    /// <summary>The ring is looked at before the member is added.</summary>
    LookThenAdd,

    /// <summary>Fan-out sends a new member frames that its slice already had.</summary>
    NoSeqFilter,

    /// <summary>A member whose JOIN has to wait gets the frames of a shard that has listed it meanwhile.</summary>
    FramesBeforeJoined,

    /// <summary>A heal compares offsets of different epochs.</summary>
    NoEpochInHeal,

    /// <summary>A read is put before a ring that lost its old end meanwhile.</summary>
    PrependUnchecked,

    /// <summary>A failover keeps the epoch.</summary>
    NoFence,

    /// <summary>JOINED names the end of what follows.</summary>
    JoinedAtSliceEnd,

    /// <summary>A GAP that is joined with the one before it begins at its own first message.</summary>
    GapForgetsItsBeginning,

    /// <summary>A position that is not yet in the ring is cut over at once.</summary>
    SinceAheadOfRing,

    /// <summary>An envelope of another epoch is taken over without a read.</summary>
    SwitchOnEnvelope,

    /// <summary>A heal takes what Redis still has for all that it missed.</summary>
    NoFloorInHeal,

    /// <summary>A heal ends with its first page.</summary>
    OnePageOnly,

    /// <summary>A page that begins behind a hole, because Redis has dropped messages meanwhile, is put behind the one before.</summary>
    PagesUnchecked,

    /// <summary>What did not fit while the node read is not read again.</summary>
    OverflowForgotten,

    /// <summary>What is left of a room on an earlier home is not deleted before the room moves back.</summary>
    LeftOnOldHome,
}
