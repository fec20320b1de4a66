using PushBackplane.Redis;
using PushHosting.Settings;

namespace PushBackplane;

/// <summary>The keys under <c>Backplane</c>.</summary>
public sealed class BackplaneSettings : ICheckedSettings
{
    /// <summary>The longest that a publish may take, including its time in the queue: the API must answer within 2 s.</summary>
    public const string LongestPublish = "00:00:01.9";

    private const int LongestPrefix = 64;

    /// <summary>
    /// The connection strings of several independent Redis servers that share the rooms. The order matters: publishers with the same list
    /// agree on each room's server.
    /// </summary>
    [ShownRedis]
    public string[] Servers { get; set; } = [];

    /// <summary>The prefix of every channel's name.</summary>
    public string ChannelPrefix { get; set; } = "push:";

    /// <summary>
    /// How long one PUBLISH may wait for Redis. Shorter than <see cref="LongestPublish"/>, to leave time for requests queued behind it.
    /// </summary>
    [Duration("00:00:00.050", LongestPublish)]
    public TimeSpan PublishTimeout { get; set; } = TimeSpan.FromSeconds(1.5);

    /// <summary>How late the canary may be before the connection counts as stalled and is replaced.</summary>
    [Duration("00:00:01", "00:01:00")]
    public TimeSpan CanaryTimeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// How long a busy subscriber connection lets messages gather before it reads them: waking up for each message costs more than handling
    /// it. The first message after a pause of twice this time is read at once.
    /// </summary>
    [Duration("00:00:00", "00:00:01")]
    public TimeSpan Gather { get; set; } = TimeSpan.FromMilliseconds(25);

    /// <summary>
    /// The maximum number of bans and mutes that are not over. Every node has all of them in memory, about 400 bytes each.
    /// </summary>
    [Number(1, 1_000_000)]
    public int MaxRestrictions { get; set; } = 10_000;

    /// <inheritdoc/>
    public string? Problem(string section)
    {
        var accepted = ChannelPrefix is { Length: >= 1 and <= LongestPrefix } && ChannelPrefix.All(char.IsAscii)
            && !ChannelPrefix.Any(c => char.IsControl(c) || char.IsWhiteSpace(c));
        return accepted ? null : $"{section}:ChannelPrefix must be 1 to {LongestPrefix} ASCII characters without spaces or control characters.";
    }
}

/// <summary>
/// The keys under <c>ConnectionStrings</c>. Any other key is an error: after a typo the process would use the wrong Redis, or memory.
/// </summary>
internal sealed class ConnectionStringSettings
{
    public const string Section = "ConnectionStrings";

    /// <summary>Where Redis is; empty counts as unset.</summary>
    [ShownRedis]
    public string Redis { get; set; } = "";
}
