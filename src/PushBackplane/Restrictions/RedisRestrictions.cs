using System.Globalization;
using Microsoft.Extensions.Logging;
using PushBackplane.Redis;

namespace PushBackplane.Restrictions;

/// <summary>The restrictions in a hash on the control channel's home, the first server. Any thread.</summary>
internal sealed class RedisRestrictions(
    RedisBackplane backplane, PushChannels channels, BackplaneSettings settings, TimeProvider time, ILogger<RedisRestrictions> logger) : IRestrictions
{
    private const string FirstPage = "0";

    private string? _logged;

    private RedisServer Home => backplane.Servers[0];

    public async Task<RestrictionList> LoadAsync()
    {
        var found = new Dictionary<RestrictionTarget, Restriction>();
        var cursor = FirstPage;
        do
        {
            var answer = await Home.EvaluateAsync(RestrictionScripts.Load(channels.Restrictions, cursor, time.GetUtcNow()));
            if (answer.Result != ScriptResult.Answered)
                return new RestrictionList(null, answer.Result == ScriptResult.Refused ? answer.Cause : null);
            cursor = Read(answer.Text, found);
        }
        while (cursor != FirstPage && found.Count <= settings.MaxRestrictions);
        return new RestrictionList([.. found.Values]);
    }

    public Task<RestrictionOutcome> RestrictAsync(Restriction restriction) => ChangeAsync(RestrictionScripts.Restrict(
        channels.Restrictions, restriction, time.GetUtcNow(), settings.MaxRestrictions, channels.Control));

    public Task<RestrictionOutcome> LiftAsync(RestrictionTarget target) =>
        ChangeAsync(RestrictionScripts.Lift(channels.Restrictions, target, channels.Control));

    /// <summary>Reads one page.</summary>
    /// <returns>The next page's cursor.</returns>
    private static string Read(string page, Dictionary<RestrictionTarget, Restriction> found)
    {
        var parts = page.Split(RestrictionScripts.Separator);
        for (var i = 1; i + 1 < parts.Length; i += 2)
        {
            if (RestrictionEntry.TryRead(parts[i], parts[i + 1], out var restriction))
                found[restriction.Target] = restriction;
        }

        return parts[0];
    }

    private async Task<RestrictionOutcome> ChangeAsync(RedisScript script)
    {
        var answer = await Home.EvaluateAsync(script);
        // Each cause once: a caller who may restrict can ask any number of times.
        if (answer.Cause is { } cause && Interlocked.Exchange(ref _logged, cause) != cause)
            logger.RestrictionRefused(Home.Description, cause);
        return answer.Result switch
        {
            ScriptResult.Answered when answer.Text == RestrictionScripts.Full => new(RestrictionResult.Full),
            ScriptResult.Answered when Nodes(answer.Text) is { } nodes => new(RestrictionResult.Done, nodes),
            ScriptResult.NotRun => new(RestrictionResult.NotSent, Cause: answer.Cause),
            ScriptResult.Refused => new(RestrictionResult.Unsupported, Cause: answer.Cause),
            _ => new(RestrictionResult.NotConfirmed),
        };
    }

    private static int? Nodes(string answer) =>
        answer.StartsWith(RestrictionScripts.Done, StringComparison.Ordinal)
        && int.TryParse(answer.AsSpan(RestrictionScripts.Done.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var nodes) ? nodes : null;
}
