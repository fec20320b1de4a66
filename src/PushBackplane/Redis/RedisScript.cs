using System.Globalization;
using System.Text;

namespace PushBackplane.Redis;

/// <summary>
/// A Lua script with its keys and arguments, which Redis runs in one step. It answers one string, or an error. Sent by EVAL, which Redis 5
/// has and which survives a restart of Redis without being loaded again; or a function or script that Redis knows already. Immutable.
/// </summary>
internal sealed class RedisScript
{
    private const string Eval = "EVAL";

    /// <param name="text">The script in Lua. Its calls that may be refused use <c>redis.pcall</c>, whose errors keep their code before Redis 7 too.</param>
    /// <param name="keys">Its KEYS.</param>
    /// <param name="arguments">Its ARGV; must not change until Redis has answered.</param>
    public RedisScript(string text, string[] keys, params byte[][] arguments)
        : this(Eval, Encoding.UTF8.GetBytes(text), keys, arguments)
    {
    }

    private RedisScript(string command, byte[] what, string[] keys, byte[][] arguments)
        : this(command, [what, Number(keys.Length), .. keys.Select(Encoding.UTF8.GetBytes), .. arguments])
    {
    }

    private RedisScript(string command, byte[][] words) => (Command, Words) = (command, words);

    /// <summary>The command that runs it.</summary>
    public string Command { get; }

    /// <summary>The words behind <see cref="Command"/>.</summary>
    public byte[][] Words { get; }

    /// <summary>Loads a library of functions in place of the one with its name, into Redis 7 or later.</summary>
    public static RedisScript Load(byte[] library) => new("FUNCTION", ["LOAD"u8.ToArray(), "REPLACE"u8.ToArray(), library]);

    /// <summary>Calls a function of a library.</summary>
    public static RedisScript Function(byte[] name, string[] keys, byte[][] arguments) => new("FCALL", name, keys, arguments);

    /// <summary>Runs a script.</summary>
    public static RedisScript Script(byte[] text, string[] keys, byte[][] arguments) => new(Eval, text, keys, arguments);

    /// <summary>Runs a script that Redis has run before.</summary>
    public static RedisScript Known(byte[] sha1, string[] keys, byte[][] arguments) => new("EVALSHA", sha1, keys, arguments);

    /// <summary>An integer as an argument.</summary>
    public static byte[] Number(long value) => Encoding.ASCII.GetBytes(value.ToString(CultureInfo.InvariantCulture));
}

/// <summary>How a script ended.</summary>
/// <param name="Result">What happened.</param>
/// <param name="Bytes">What the script answered; empty unless it did.</param>
/// <param name="Cause">Why Redis refused, as the end of a sentence; null unless it did.</param>
/// <param name="Refusal">The kind of cause, if there is one.</param>
internal readonly record struct ScriptAnswer(
    ScriptResult Result, ReadOnlyMemory<byte> Bytes = default, string? Cause = null, RefusalKind Refusal = RefusalKind.Lasting)
{
    /// <summary>The same as text.</summary>
    public string Text => Encoding.UTF8.GetString(Bytes.Span);
}

/// <summary>What happened to a script.</summary>
internal enum ScriptResult
{
    /// <summary>It ran and answered.</summary>
    Answered,

    /// <summary>It did not run: the server is unavailable, or refused for a cause that may pass.</summary>
    NotRun,

    /// <summary>Redis did not answer in time: it may have run or not. Or it failed half-way, and the cause is known.</summary>
    NotConfirmed,

    /// <summary>Redis refuses for a cause that stays until somebody changes its configuration.</summary>
    Refused,
}
