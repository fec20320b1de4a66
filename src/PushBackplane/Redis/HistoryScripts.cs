using System.Globalization;
using System.Text;
using PushBackplane.History;

namespace PushBackplane.Redis;

/// <summary>What goes to push.lua, and what comes back.</summary>
internal static class HistoryScripts
{
    private const string First = "first ";
    private const string Replayed = "replayed ";
    private const string Reused = "reused";
    private const string Wait = "wait ";
    private const string Done = "done";

    /// <summary>The keys of an append.</summary>
    public static string[] Keys(PushChannels channels, string channel, HistoryAppend append)
    {
        var keys = Keys(channels, append.Room);
        if (append.Key is { } key)
            return [.. keys, channels.RequestKey(key.Name), channels.AnswerKey(channel, key.Name)];
        return append.SpacedUser is { } user ? [.. keys, channels.SlowKey(append.Room, user)] : keys;
    }

    /// <summary>The keys of everything else.</summary>
    public static string[] Keys(PushChannels channels, RoomId room) => [channels.HistoryKey(room), channels.StreamKey(room), channels.Life];

    /// <summary>The arguments of an append.</summary>
    public static byte[][] Arguments(string channel, HistoryAppend append)
    {
        byte[][] arguments =
        [
            Encoding.UTF8.GetBytes(channel), RedisScript.Number(append.Items.Count), Envelope.EncodeBody(append.PublishedAt, append.Items),
            RedisScript.Number(append.Limits.Size), Milliseconds(append.Limits.Ttl),
        ];
        if (append.Key is { } key)
            return [.. arguments, key.Fingerprint.ToArray(), Milliseconds(IdempotencyKey.Lifetime)];
        return append.SpacedUser is null ? arguments : [.. arguments, Milliseconds(append.Spacing)];
    }

    /// <summary>The arguments of a reading.</summary>
    public static byte[][] Arguments(in HistoryQuery query) =>
    [
        RedisScript.Number(query.Since), RedisScript.Number(Math.Clamp(query.Limit, 0, HistoryQuery.MaxLimit)), query.IsReverse ? "1"u8.ToArray() : "0"u8.ToArray(),
    ];

    /// <summary>The outcome of an append.</summary>
    public static AppendOutcome ReadAppend(in ScriptAnswer answer) => answer.Result switch
    {
        ScriptResult.Answered => ReadAppend(answer.Text),
        ScriptResult.NotRun => new AppendOutcome(AppendResult.NotSent, Cause: answer.Cause),
        ScriptResult.Refused => new AppendOutcome(AppendResult.Unsupported, Cause: answer.Cause),
        _ => new AppendOutcome(AppendResult.NotConfirmed, Cause: answer.Cause),
    };

    /// <summary>The answer to a reading.</summary>
    public static HistoryAnswer ReadPage(in ScriptAnswer answer)
    {
        if (answer.Result != ScriptResult.Answered)
            return new HistoryAnswer(null, answer.Result == ScriptResult.Refused ? answer.Cause : null);
        return HistoryPageReader.TryRead(answer.Bytes, out var page) ? new HistoryAnswer(page) : new HistoryAnswer(null, "the room's history is not the farm's");
    }

    /// <summary>Why messages were not deleted; null if they were.</summary>
    public static string? ReadDelete(in ScriptAnswer answer) =>
        answer.Result == ScriptResult.Answered && answer.Text == Done ? null : answer.Cause ?? "it is unavailable or did not answer in time";

    /// <summary>Reads the answer to a publish with a key: the number of nodes, and the position if the room has history.</summary>
    public static bool TryReadAnswer(ReadOnlySpan<char> text, out int nodes, out Position? last)
    {
        last = null;
        var space = text.IndexOf(' ');
        if (space >= 0 && Position.TryParse(text[(space + 1)..], out var position))
            last = position;
        return int.TryParse(space < 0 ? text : text[..space], NumberStyles.None, CultureInfo.InvariantCulture, out nodes) && (space < 0 || last is not null);
    }

    private static AppendOutcome ReadAppend(string text)
    {
        if (text == Reused)
            return new AppendOutcome(AppendResult.Reused);
        if (text.StartsWith(First, StringComparison.Ordinal) && TryReadAnswer(text.AsSpan(First.Length), out var nodes, out var last))
            return new AppendOutcome(AppendResult.Appended, nodes, last);
        if (text.StartsWith(Replayed, StringComparison.Ordinal) && TryReadAnswer(text.AsSpan(Replayed.Length), out nodes, out last))
            return new AppendOutcome(AppendResult.Replayed, nodes, last);
        return text.StartsWith(Wait, StringComparison.Ordinal) && long.TryParse(text.AsSpan(Wait.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var wait)
            ? new AppendOutcome(AppendResult.TooSoon, Wait: TimeSpan.FromMilliseconds(wait))
            // Another function under its name.
            : new AppendOutcome(AppendResult.NotConfirmed);
    }

    private static byte[] Milliseconds(TimeSpan span) => RedisScript.Number((long)span.TotalMilliseconds);
}
