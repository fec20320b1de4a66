using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using PushHosting.Logging;

namespace PushHosting.Management;

/// <summary>
/// The management listener's connections in the order of accept, at most <see cref="Limit"/>; beyond that, a new connection closes the
/// oldest. Each serves one request, which takes milliseconds, so the oldest is idle, and idle connections cannot keep an orchestrator's
/// probe from its answer. Lives as long as the listener; any thread.
/// </summary>
internal sealed class ManagementConnections(TimeProvider time, ILogger log)
{
    /// <summary>More than an orchestrator and a few scrapers open at once.</summary>
    public const int Limit = 100;

    private readonly LogPace _pace = new(time);
    private readonly Lock _lock = new();

    // Guarded by the lock.
    private readonly LinkedList<ConnectionContext> _open = new();

    /// <summary>Connection middleware, outside all of Kestrel's own.</summary>
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
        LinkedListNode<ConnectionContext> place;
        lock (_lock)
        {
            if (_open.Count >= Limit)
            {
                oldest = _open.First!.Value;
                _open.RemoveFirst();
            }

            place = _open.AddLast(connection);
        }

        if (oldest is not null)
        {
            oldest.Abort(new ConnectionAbortedException("The management listener has too many connections, and this is the oldest."));
            if (_pace.MayLog())
                log.ManagementFull(Limit);
        }

        return place;
    }
}
