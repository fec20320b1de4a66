using PushBackplane.History;

namespace PushBackplane;

/// <summary>How a publish ended that may come only so often.</summary>
/// <param name="Result">What happened to the payload.</param>
/// <param name="Nodes">The number of subscribers that it reached.</param>
/// <param name="Wait">When it is too soon: the time until the next may come.</param>
/// <param name="Cause">Why it was refused, as the end of a sentence; null when it was not.</param>
/// <param name="Last">The position behind the message; null unless it was published in a room with history.</param>
public readonly record struct SpacedOutcome(SpacedResult Result, int Nodes = 0, TimeSpan Wait = default, string? Cause = null, Position? Last = null)
{
    /// <summary>The payload was published.</summary>
    public static SpacedOutcome Published(int nodes, Position? last = null) => new(SpacedResult.Published, nodes, Last: last);

    /// <summary>The outcome of an append; null if the home keeps no histories.</summary>
    public static SpacedOutcome? Of(AppendOutcome outcome) => outcome.Result switch
    {
        AppendResult.Appended => Published(outcome.Nodes, outcome.Last),
        AppendResult.TooSoon => TooSoon(outcome.Wait),
        AppendResult.NotSent => new SpacedOutcome(SpacedResult.NotSent, Cause: outcome.Cause),
        AppendResult.Unsupported => null,
        _ => new SpacedOutcome(SpacedResult.NotConfirmed),
    };

    /// <summary>The last one is too recent.</summary>
    public static SpacedOutcome TooSoon(TimeSpan wait) => new(SpacedResult.TooSoon, Wait: wait);
}

/// <summary>What happened to a payload that may come only so often.</summary>
public enum SpacedResult
{
    /// <summary>It was published.</summary>
    Published,

    /// <summary>Not published: the user's last one in this room is too recent.</summary>
    TooSoon,

    /// <summary>Not published: the home is unavailable, or refuses.</summary>
    NotSent,

    /// <summary>The home did not confirm in time: the payload may or may not have been published.</summary>
    NotConfirmed,
}
