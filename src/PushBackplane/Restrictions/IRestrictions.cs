namespace PushBackplane.Restrictions;

/// <summary>
/// The restrictions of the whole farm, kept where they outlive a node: on the home of <see cref="IBackplane.Control"/>. A change also goes to
/// every node as a command (<see cref="UserCommands"/>), in the same step. The memory backplane keeps them as long as the process lives.
/// There is one instance per process; any thread.
/// </summary>
public interface IRestrictions
{
    /// <summary>Reads all that are not over.</summary>
    Task<RestrictionList> LoadAsync();

    /// <summary>Adds a restriction, in the place of the one that the target has.</summary>
    Task<RestrictionOutcome> RestrictAsync(Restriction restriction);

    /// <summary>Lifts the restriction of a target; does nothing more than to tell the nodes if there is none.</summary>
    Task<RestrictionOutcome> LiftAsync(RestrictionTarget target);
}

/// <summary>The restrictions that were read.</summary>
/// <param name="All">All that are not over; null if the home is unavailable, did not answer in time, or refused.</param>
/// <param name="Refusal">Why the home refuses until its operator changes something, as the end of a sentence; null if it does not.</param>
public readonly record struct RestrictionList(IReadOnlyList<Restriction>? All, string? Refusal = null);

/// <summary>How a change of a restriction ended.</summary>
/// <param name="Result">What happened.</param>
/// <param name="Nodes">The number of nodes that heard of it; 0 unless it was done.</param>
/// <param name="Cause">Why the home refused, as the end of a sentence; null if it did not.</param>
public readonly record struct RestrictionOutcome(RestrictionResult Result, int Nodes = 0, string? Cause = null);

/// <summary>What happened to a change.</summary>
public enum RestrictionResult
{
    /// <summary>It is kept, and the nodes were told.</summary>
    Done,

    /// <summary>Nothing changed: there are as many restrictions as there may be (<see cref="BackplaneSettings.MaxRestrictions"/>).</summary>
    Full,

    /// <summary>Nothing changed: the home is unavailable, or refused for a cause that passes.</summary>
    NotSent,

    /// <summary>The home did not confirm in time: it may or may not be kept.</summary>
    NotConfirmed,

    /// <summary>Nothing changed: the home does not allow it until its operator changes something.</summary>
    Unsupported,
}
