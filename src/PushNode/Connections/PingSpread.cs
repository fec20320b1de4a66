namespace PushNode.Connections;

/// <summary>
/// Spreads pings over time; otherwise clients that connect in one wave would be pinged together in every round. A client is pinged earlier
/// than the setting by an amount that is derived from the time at which it was last heard. So the wave spreads further with each round, and
/// no connection needs extra memory.
/// </summary>
internal static class PingSpread
{
    /// <summary>A ping is early by at most the setting divided by this.</summary>
    private const int Part = 5;

    /// <summary>How long a client may be silent before it is pinged: more than four fifths of the setting, and at most all of it.</summary>
    /// <param name="setting"><see cref="Settings.ConnectionSettings.PingAfter"/>.</param>
    /// <param name="heardAt">When the client was last heard, as a time stamp.</param>
    public static TimeSpan QuietTime(TimeSpan setting, long heardAt)
    {
        // Fibonacci hashing: neighbouring time stamps land far apart.
        var random = (long)((ulong)heardAt * 0x9E3779B97F4A7C15 >> 44);
        return TimeSpan.FromTicks(setting.Ticks - (setting.Ticks / Part * random >> 20));
    }
}
