using System.Globalization;
using System.Text;

namespace PushBackplane.Redis;

/// <summary>One publish that may come only so often, as a script: Redis looks whether the last is too recent, and publishes, in one step.</summary>
internal static class SpacedScript
{
    private const string Sent = "sent ";
    private const string Wait = "wait ";

    // A key without an end is not ours; it would keep the user silent for good.
    // The SET comes before PUBLISH, because Redis cannot undo a publish. If PUBLISH is forbidden, the user has not sent anything.
    private const string Text = """
        local kept = redis.pcall('SET', KEYS[1], '', 'NX', 'PX', ARGV[3])
        if not kept then
          local wait = redis.call('PTTL', KEYS[1])
          if wait < 0 then
            redis.call('SET', KEYS[1], '', 'PX', ARGV[3])
            wait = ARGV[3]
          end
          return redis.status_reply('wait ' .. wait)
        end
        if kept.err then return kept end
        local nodes = redis.pcall('PUBLISH', ARGV[1], ARGV[2])
        if type(nodes) == 'table' then
          redis.call('DEL', KEYS[1])
          return nodes
        end
        return redis.status_reply('sent ' .. nodes)
        """;

    /// <summary>Makes the script.</summary>
    /// <param name="key">Exists while it is too soon.</param>
    /// <param name="channel">Where to publish.</param>
    /// <param name="payload">What to publish.</param>
    /// <param name="spacing">The least time between two.</param>
    public static RedisScript Of(string key, string channel, byte[] payload, TimeSpan spacing) =>
        new(Text, [key], Encoding.UTF8.GetBytes(channel), payload, RedisScript.Number((long)spacing.TotalMilliseconds));

    /// <summary>The outcome of a publish.</summary>
    public static SpacedOutcome Read(in ScriptAnswer answer) => answer.Result switch
    {
        ScriptResult.Answered when Number(answer.Text, Sent) is { } nodes => SpacedOutcome.Published(nodes),
        ScriptResult.Answered when Number(answer.Text, Wait) is { } wait => SpacedOutcome.TooSoon(TimeSpan.FromMilliseconds(wait)),
        ScriptResult.NotRun or ScriptResult.Refused => new SpacedOutcome(SpacedResult.NotSent, Cause: answer.Cause),
        _ => new SpacedOutcome(SpacedResult.NotConfirmed),
    };

    private static int? Number(string text, string word) =>
        text.StartsWith(word, StringComparison.Ordinal)
        && int.TryParse(text.AsSpan(word.Length), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? Math.Max(0, number) : null;
}
