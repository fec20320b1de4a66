using Microsoft.Extensions.Logging;

namespace PushBackplane.Redis;

/// <summary>
/// Logs when a server becomes unavailable and when it is back, each cause once per outage instead of at every attempt. One thread.
/// </summary>
internal sealed class Outage(ILogger logger, string description)
{
    private readonly HashSet<string> _causes = [];

    public void Continues(string cause)
    {
        if (_causes.Add(cause))
            logger.Unavailable(description, cause);
    }

    public void Over(int channels)
    {
        _causes.Clear();
        logger.Up(description, channels);
    }
}

/// <summary>
/// The wait before the next attempt to connect: doubles from 0.1 s to 1 s, then shortened at random by up to half, so that the nodes of a
/// farm do not connect at the same moment. At most 1 s, because a node must be ready within 4 s of Redis's return. One thread.
/// </summary>
internal sealed class BackOff
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(1);

    private TimeSpan _next = Shortest;

    public TimeSpan Next()
    {
        var full = _next;
        _next = full * 2 < Longest ? full * 2 : Longest;
        return full * (0.5 + Random.Shared.NextDouble() / 2);
    }

    public void Reset() => _next = Shortest;
}
