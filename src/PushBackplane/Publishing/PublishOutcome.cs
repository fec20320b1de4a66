using PushBackplane.History;

namespace PushBackplane.Publishing;

/// <summary>How a publish ended, to one channel or to all channels of a request.</summary>
/// <param name="Result">What happened to the messages.</param>
/// <param name="Nodes">The number of subscribers reached; null unless published, now or before.</param>
/// <param name="Cause">Why the backplane refused, as the end of a sentence; null unless it did.</param>
/// <param name="Last">
/// The position behind the request's last message; null unless published, now or before, to one room, and with history.
/// </param>
public readonly record struct PublishOutcome(PublishResult Result, int? Nodes = null, string? Cause = null, Position? Last = null)
{
    /// <summary>Nothing left this process.</summary>
    public static PublishOutcome NotSent => new(PublishResult.NotSent);

    /// <summary>Sent, but the backplane did not confirm in time: it may or may not have been delivered.</summary>
    public static PublishOutcome NotConfirmed => new(PublishResult.NotConfirmed);

    /// <summary>Whether a message may have been published. If not, a retry cannot duplicate anything.</summary>
    public bool IsSent => Result is PublishResult.Published or PublishResult.Replayed or PublishResult.NotConfirmed;

    /// <summary>Delivered to this many subscribers.</summary>
    public static PublishOutcome Confirmed(int nodes) => new(PublishResult.Published, nodes);

    /// <summary>Delivered to this many subscribers before, and not again.</summary>
    public static PublishOutcome Replayed(int nodes) => new(PublishResult.Replayed, nodes);

    /// <summary>The outcome of a publish with a key.</summary>
    public static PublishOutcome Of(OnceOutcome outcome) => outcome.Result switch
    {
        OnceResult.First => Confirmed(outcome.Nodes),
        OnceResult.Replayed => Replayed(outcome.Nodes) with { Last = outcome.Last },
        OnceResult.NotConfirmed => NotConfirmed,
        OnceResult.NotSent => new PublishOutcome(PublishResult.NotSent, Cause: outcome.Cause),
        OnceResult.Reused => new PublishOutcome(PublishResult.Reused),
        OnceResult.Unsupported => new PublishOutcome(PublishResult.Unsupported, Cause: outcome.Cause),
        _ => throw new InvalidOperationException($"A backplane answered {outcome.Result}."),
    };

    /// <summary>The outcome of an append; null if the home keeps no histories.</summary>
    public static PublishOutcome? Of(AppendOutcome outcome) => outcome.Result switch
    {
        AppendResult.Appended => Confirmed(outcome.Nodes) with { Last = outcome.Last },
        AppendResult.Replayed => Replayed(outcome.Nodes) with { Last = outcome.Last },
        AppendResult.NotSent => new PublishOutcome(PublishResult.NotSent, Cause: outcome.Cause),
        AppendResult.NotConfirmed => NotConfirmed,
        AppendResult.Reused => new PublishOutcome(PublishResult.Reused),
        AppendResult.Unsupported => null,
        _ => throw new InvalidOperationException($"A history answered {outcome.Result}."),
    };

    /// <summary>
    /// The outcome of a request to several channels. A fault of the request or the farm counts before all; otherwise it is confirmed only if
    /// all are, replayed only if all are, and unsent only if none was sent.
    /// </summary>
    public static PublishOutcome Combine(ReadOnlySpan<PublishOutcome> outcomes)
    {
        var combined = outcomes[0];
        foreach (var outcome in outcomes[1..])
            combined = combined.With(outcome);
        return combined;
    }

    private PublishOutcome With(PublishOutcome other)
    {
        if (Result is PublishResult.Reused or PublishResult.Unsupported)
            return other.Result == PublishResult.Reused ? other : this;
        if (other.Result is PublishResult.Reused or PublishResult.Unsupported)
            return other;
        if (Nodes is { } a && other.Nodes is { } b)
            return new PublishOutcome(Result == other.Result ? Result : PublishResult.Published, Math.Min(a, b));
        return IsSent || other.IsSent ? NotConfirmed : NotSent;
    }
}

/// <summary>What happened to messages.</summary>
public enum PublishResult
{
    /// <summary>They were published.</summary>
    Published,

    /// <summary>They were published before with the same key, and not again.</summary>
    Replayed,

    /// <summary>They were not published.</summary>
    NotSent,

    /// <summary>They may or may not have been published.</summary>
    NotConfirmed,

    /// <summary>They were not published, because the key belongs to another request.</summary>
    Reused,

    /// <summary>They were not published, because the backplane cannot publish with keys.</summary>
    Unsupported,
}
