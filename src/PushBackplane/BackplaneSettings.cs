using PushHosting.Settings;

namespace PushBackplane;

/// <summary>The keys under <c>Backplane</c>.</summary>
public sealed class BackplaneSettings : ICheckedSettings
{
    /// <summary>The longest that a publish waits for Redis in all, its turn included: the API must answer within 2 s.</summary>
    public const string LongestPublish = "00:00:01.9";

    private const int LongestPrefix = 64;

    /// <summary>
    /// Connection strings of several independent Redis servers, over which rooms are spread. Their order counts: publishers with the same list agree on each room's server.
    /// </summary>
    public string[] Servers { get; set; } = [];

    /// <summary>What all channel names begin with.</summary>
    public string ChannelPrefix { get; set; } = "push:";

    /// <summary>How long one PUBLISH may wait for Redis; less than <see cref="LongestPublish"/> leaves time for a request that waits behind it.</summary>
    [Duration("00:00:00.050", LongestPublish)]
    public TimeSpan PublishTimeout { get; set; } = TimeSpan.FromSeconds(1.5);

    /// <summary>How late the canary may be before the connection counts as stalled and is built anew.</summary>
    [Duration("00:00:01", "00:01:00")]
    public TimeSpan CanaryTimeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// How long a subscriber that is kept busy lets messages gather before it reads them: waking for each costs more than all that is then done with it. The first message after a
    /// pause of twice this is read at once.
    /// </summary>
    [Duration("00:00:00", "00:00:01")]
    public TimeSpan Gather { get; set; } = TimeSpan.FromMilliseconds(25);

    /// <inheritdoc/>
    public string? Problem(string section)
    {
        var accepted = ChannelPrefix is { Length: >= 1 and <= LongestPrefix } && ChannelPrefix.All(char.IsAscii)
            && !ChannelPrefix.Any(c => char.IsControl(c) || char.IsWhiteSpace(c));
        return accepted ? null : $"{section}:ChannelPrefix must be 1 to {LongestPrefix} ASCII characters without spaces and control characters.";
    }
}
