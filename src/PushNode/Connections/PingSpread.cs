namespace PushNode.Connections;

/// <summary>
/// Spreads pings over time. Clients that connect in one wave would otherwise be pinged together in every round. The moment at which a client was last heard decides how much earlier
/// than the setting it is pinged, so the wave spreads further with each round, without memory per connection.
/// </summary>
internal static class PingSpread
{
    /// <summary>How much earlier at most, as a part of the setting.</summary>
    private const int Part = 5;

    /// <summary>How long a client may be quiet before it is pinged: more than four fifths of the setting, and no more than all of it.</summary>
    /// <param name="setting"><see cref="Settings.ConnectionSettings.PingAfter"/>.</param>
    /// <param name="heardAt">The time stamp of what came last.</param>
    public static TimeSpan QuietTime(TimeSpan setting, long heardAt)
    {
        // Fibonacci hashing: neighbouring time stamps land far apart.
        var random = (long)((ulong)heardAt * 0x9E3779B97F4A7C15 >> 44);
        return TimeSpan.FromTicks(setting.Ticks - (setting.Ticks / Part * random >> 20));
    }
}
