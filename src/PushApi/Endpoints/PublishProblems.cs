using PushApi.Problems;
using PushApi.Requests;
using PushBackplane.Publishing;
using PushBackplane;

namespace PushApi.Endpoints;

/// <summary>Explains a publish that is not answered with 202, and what may have been published. Stateless; any thread.</summary>
internal static class PublishProblems
{
    /// <summary>The servers of the channels are known to be unavailable, and nothing was tried.</summary>
    public static Problem Unavailable(IEnumerable<BackplaneChannel> channels) => new(
        ProblemType.BackplaneAway,
        $"Unavailable or stalled: {ServersOf(channels)}. No message of this request was sent; a retry duplicates nothing.");

    /// <summary>Explains the outcome of a request.</summary>
    /// <param name="result">The outcome of the whole request.</param>
    /// <param name="channels">Its channels.</param>
    /// <param name="outcomes">The outcome for each channel.</param>
    /// <param name="hasKey">Whether it has an idempotency key.</param>
    public static Problem Of(PublishResult result, BackplaneChannel[] channels, PublishOutcome[] outcomes, bool hasKey)
    {
        var isPartlySent = outcomes.Any(outcome => outcome.IsSent);
        return result switch
        {
            PublishResult.Reused => Reused(isPartlySent),
            PublishResult.Unsupported => Unsupported(RefusalsOf(channels, outcomes, hasKey), isPartlySent),
            PublishResult.NotConfirmed => NotConfirmed(ServersOf(channels.Where((_, i) => outcomes[i].Nodes is null)), hasKey),
            _ when outcomes.Any(outcome => outcome.Cause is not null) => Refused(RefusalsOf(channels, outcomes, hasKey)),
            _ => Unavailable(channels.Where((_, i) => outcomes[i].Nodes is null)),
        };
    }

    /// <summary>Redis servers do not know each other's keys, so one may accept what another refuses.</summary>
    private static Problem Reused(bool isPartlySent) => new(
        ProblemType.KeyReused,
        $"{KeyHeader.Name}: a request with other messages or rooms had this key in the last {IdempotencyKey.Lifetime.TotalSeconds} seconds.",
        Place.AtField(KeyHeader.Name),
        consequence: isPartlySent ? "Rooms on other Redis servers may have the messages." : "Nothing was published.");

    private static Problem Unsupported(string refusals, bool isPartlySent) => new(
        ProblemType.KeysUnsupported,
        $"{refusals}. Publishing with {KeyHeader.Name} needs EVAL, and in its script MGET, SET and PUBLISH, with keys push:k:* (docs/redis.md). "
        + (isPartlySent ? "Rooms on other Redis servers may have the messages." : "Nothing was published."));

    private static Problem Refused(string refusals) => new(
        ProblemType.BackplaneAway,
        $"{refusals}. No message of this request was published; a retry duplicates nothing.");

    private static Problem NotConfirmed(string servers, bool hasKey) => new(
        ProblemType.NotConfirmed,
        $"{servers} did not confirm in time: the messages may or may not have been delivered, "
        + (hasKey ? $"and a retry with the same {KeyHeader.Name} delivers only what is missing." : "and a retry may deliver them twice."));

    /// <summary>The servers of some channels, each named once.</summary>
    private static string ServersOf(IEnumerable<BackplaneChannel> channels) =>
        string.Join(", ", channels.Select(channel => channel.Home.Description).Distinct());

    private static string RefusalsOf(BackplaneChannel[] channels, PublishOutcome[] outcomes, bool hasKey) => string.Join("; ", channels
        .Zip(outcomes)
        .Where(pair => pair.Second.Cause is not null)
        .Select(pair => $"{pair.First.Home.Description} refuses to publish{(hasKey ? " with a key" : "")}: {pair.Second.Cause}")
        .Distinct());
}
