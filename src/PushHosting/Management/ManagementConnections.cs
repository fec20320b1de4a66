using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace PushHosting;

/// <summary>
/// The management listener's connections, in the order of their accept and bounded: beyond the limit the oldest is closed for the newcomer. Each is there for one request, which takes milliseconds, so
/// the oldest is one that wants nothing, and an orchestrator's probe is answered however many others stand. Lives as long as the listener; any thread.
/// </summary>
internal sealed class ManagementConnections(TimeProvider time, ILogger log)
{
    /// <summary>More than an orchestrator and a few scrapers ever have at once.</summary>
    public const int Limit = 100;

    private static readonly TimeSpan LogInterval = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();

    // Both guarded by the lock.
    private readonly LinkedList<ConnectionContext> _open = new();
    private long? _loggedAt;

    /// <summary>A connection's whole life in Kestrel, as middleware around everything else.</summary>
    public async Task RunAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var place = Enter(connection);
        try
        {
            await next(connection);
        }
        finally
        {
            lock (_lock)
            {
                if (place.List is not null)
                    _open.Remove(place);
            }
        }
    }

    private LinkedListNode<ConnectionContext> Enter(ConnectionContext connection)
    {
        ConnectionContext? oldest = null;
        var mayLog = false;
        LinkedListNode<ConnectionContext> place;
        lock (_lock)
        {
            if (_open.Count >= Limit)
            {
                oldest = _open.First!.Value;
                _open.RemoveFirst();
                mayLog = MayLogLocked();
            }

            place = _open.AddLast(connection);
        }

        oldest?.Abort(new ConnectionAbortedException("The management listener had too many connections, and this was the oldest."));
        if (mayLog)
            log.ManagementFull(Limit);
        return place;
    }

    /// <summary>One line in ten seconds: others cause it as often as they like.</summary>
    private bool MayLogLocked()
    {
        var now = time.GetTimestamp();
        if (_loggedAt is { } loggedAt && time.GetElapsedTime(loggedAt, now) < LogInterval)
            return false;
        _loggedAt = now;
        return true;
    }
}
