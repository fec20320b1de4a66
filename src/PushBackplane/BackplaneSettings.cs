namespace PushBackplane;

/// <summary>The keys under <c>Backplane</c>.</summary>
public sealed class BackplaneSettings
{
    /// <summary>What all channel names begin with.</summary>
    public string ChannelPrefix { get; set; } = "push:";

    /// <summary>How long a publish may wait for Redis: the API must answer within 2 s.</summary>
    public TimeSpan PublishTimeout { get; set; } = TimeSpan.FromSeconds(1.5);

    /// <summary>How late the canary may be before the connection counts as stalled and is built anew.</summary>
    public TimeSpan CanaryTimeout { get; set; } = TimeSpan.FromSeconds(3);
}
