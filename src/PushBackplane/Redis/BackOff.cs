namespace PushBackplane.Redis;

/// <summary>
/// How long to wait before the next attempt to connect: doubling from 0.1 s to 1 s, of which a random half is taken off so that the nodes of a farm
/// do not come in step. No longer than 1 s, since a node must be ready within 4 s of Redis's return. One thread.
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
