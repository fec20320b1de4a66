using System.Text;
using PushBackplane.History;

namespace PushBackplane.Redis;

/// <summary>
/// One publish with an idempotency key, as a script: Redis checks the key, publishes and keeps the answer in one step (docs/adr/0031).
/// </summary>
internal static class OnceScript
{
    private const string First = "first ";
    private const string Replayed = "replayed ";
    private const string Reused = "reused";

    // The first SET comes before PUBLISH, because Redis cannot undo a publish: a server that refuses to write (full, a replica, without the
    // right) refuses here. After that no command fails but PUBLISH itself, which the ACL may forbid; then no answer is kept.
    private const string Text = """
        local was = redis.pcall('MGET', KEYS[1], KEYS[2])
        if was.err then return was end
        if was[1] and was[1] ~= ARGV[2] then return redis.status_reply('reused') end
        if was[2] then return redis.status_reply('replayed ' .. was[2]) end
        local kept = redis.pcall('SET', KEYS[1], ARGV[2], 'PX', ARGV[4])
        if kept.err then return kept end
        local nodes = redis.pcall('PUBLISH', ARGV[1], ARGV[3])
        if type(nodes) == 'table' then return nodes end
        redis.call('SET', KEYS[2], nodes, 'PX', ARGV[4])
        return redis.status_reply('first ' .. nodes)
        """;

    private static readonly byte[] Milliseconds = RedisScript.Number((long)IdempotencyKey.Lifetime.TotalMilliseconds);

    /// <summary>Makes the script.</summary>
    /// <param name="requestKey">Where the request's fingerprint is kept.</param>
    /// <param name="answerKey">Where the answer of this channel is kept.</param>
    /// <param name="channel">Where to publish.</param>
    /// <param name="fingerprint">The request's fingerprint.</param>
    /// <param name="payload">What to publish.</param>
    public static RedisScript Of(string requestKey, string answerKey, string channel, byte[] fingerprint, byte[] payload) =>
        new(Text, [requestKey, answerKey], Encoding.UTF8.GetBytes(channel), fingerprint, payload, Milliseconds);

    /// <summary>The outcome of a publish.</summary>
    public static OnceOutcome Read(in ScriptAnswer answer) => answer.Result switch
    {
        ScriptResult.Answered => Read(answer.Text),
        ScriptResult.NotRun => new OnceOutcome(OnceResult.NotSent, Cause: answer.Cause),
        ScriptResult.Refused => new OnceOutcome(OnceResult.Unsupported, Cause: answer.Cause),
        _ => new OnceOutcome(OnceResult.NotConfirmed),
    };

    private static OnceOutcome Read(string text) =>
        text == Reused ? new OnceOutcome(OnceResult.Reused)
        : TryRead(text, First, out var nodes, out var last) ? OnceOutcome.First(nodes, last)
        // The first attempt may have been made while the room had history.
        : TryRead(text, Replayed, out nodes, out last) ? OnceOutcome.Replayed(nodes, last)
        // No answer of this script.
        : new OnceOutcome(OnceResult.NotConfirmed);

    private static bool TryRead(string text, string word, out int nodes, out Position? last)
    {
        (nodes, last) = (0, null);
        return text.StartsWith(word, StringComparison.Ordinal) && HistoryScripts.TryReadAnswer(text.AsSpan(word.Length), out nodes, out last);
    }
}
