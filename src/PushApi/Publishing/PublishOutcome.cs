namespace PushApi.Publishing;

/// <summary>How a publish to one channel ended.</summary>
/// <param name="IsSent">Whether a message may have left this process. If not, a retry cannot duplicate anything.</param>
/// <param name="Nodes">The number of subscribers reached; null if unconfirmed.</param>
internal readonly record struct PublishOutcome(bool IsSent, int? Nodes)
{
    /// <summary>Nothing left this process.</summary>
    public static PublishOutcome NotSent => new(IsSent: false, Nodes: null);

    /// <summary>Sent, but the backplane did not confirm in time: it may or may not have been delivered.</summary>
    public static PublishOutcome NotConfirmed => new(IsSent: true, Nodes: null);

    /// <summary>Delivered to this many subscribers.</summary>
    public static PublishOutcome Confirmed(int nodes) => new(IsSent: true, nodes);

    /// <summary>The outcome of a request to several channels: confirmed only if all are, unsent only if none was sent.</summary>
    public static PublishOutcome Combine(ReadOnlySpan<PublishOutcome> outcomes)
    {
        var combined = outcomes[0];
        foreach (var outcome in outcomes[1..])
        {
            combined = new PublishOutcome(
                combined.IsSent || outcome.IsSent,
                combined.Nodes is { } a && outcome.Nodes is { } b ? Math.Min(a, b) : null);
        }
        return combined;
    }
}
