namespace PushLoad.Tests.Support;

/// <summary>What a <see cref="FaultyServer"/> does wrong; to one member and once, unless it says otherwise.</summary>
public enum Fault
{
    None,

    /// <summary>A message in the middle is left out.</summary>
    Drop,

    /// <summary>The first message after JOINED is left out.</summary>
    DropFirst,

    /// <summary>Everything from the tenth message on is left out.</summary>
    DropTail,

    /// <summary>A message is left out, and a GAP says so.</summary>
    Announce,

    /// <summary>A GAP announces a message that comes all the same.</summary>
    AnnounceInVain,
    Duplicate,

    /// <summary>Two messages change places.</summary>
    Reorder,

    /// <summary>A message goes to a room that it was not published to.</summary>
    WrongRoom,

    /// <summary>A frame that is no JSON.</summary>
    Garbage,
    Close,

    /// <summary>A publish is answered 503, and its messages are not delivered.</summary>
    Refuse,

    /// <summary>No upgrade succeeds.</summary>
    RefuseUpgrade,
}
