namespace PushLoad.Tests.Support;

/// <summary>The mistake of a <see cref="FaultyServer"/>: made once and to one member, unless stated otherwise.</summary>
public enum Fault
{
    None,

    /// <summary>A message in the middle is left out.</summary>
    Drop,

    /// <summary>The first message after JOINED is left out.</summary>
    DropFirst,

    /// <summary>All messages from the tenth on are left out.</summary>
    DropTail,

    /// <summary>A message is left out, and a GAP announces it.</summary>
    Announce,

    /// <summary>A GAP announces a message that is sent.</summary>
    AnnounceInVain,
    Duplicate,

    /// <summary>Two messages are sent in the wrong order.</summary>
    Reorder,

    /// <summary>One byte of a message's text is changed.</summary>
    Change,

    /// <summary>The time in a message is changed.</summary>
    ChangeTime,

    /// <summary>A message is also sent to a room that it was not published to.</summary>
    WrongRoom,

    /// <summary>A message without a type.</summary>
    Garbage,
    Close,

    /// <summary>A publish is answered with 503, and its messages are not delivered.</summary>
    Refuse,

    /// <summary>No upgrade succeeds.</summary>
    RefuseUpgrade,

    /// <summary>A SEND is accepted and one member does not get it.</summary>
    SendLost,

    /// <summary>A SEND reaches one member twice.</summary>
    SendTwice,

    /// <summary>A member gets the SEND before instead of this one.</summary>
    SendOther,

    /// <summary>A SEND is delivered with another name.</summary>
    SendForged,

    /// <summary>A SEND is refused and delivered nevertheless.</summary>
    SendRefusedInVain,

    /// <summary>Half of the SENDs are refused.</summary>
    SendRefused,
}
