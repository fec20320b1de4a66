using System.Runtime.CompilerServices;
using RedisPush.Client.Rooms;

namespace RedisPush.Client;

/// <summary>
/// What one reader gets of a room, of the broadcasts to all clients, or of the messages to the user. It lives until it is disposed; the room is left with its last
/// subscription. A reader that does not keep up loses the oldest events and is told so by a <see cref="PushGap"/> with
/// <see cref="GapReason.Reader"/>: the other subscriptions and the connection do not wait for it.
/// </summary>
public sealed class PushSubscription : IAsyncDisposable
{
    private readonly RoomTable _table;
    private long _online = -1;
    private int _reading;

    internal PushSubscription(RoomTable table, string? room, EventBuffer events) => (_table, Room, Events) = (table, room, events);

    /// <summary>The room; null for broadcasts and for the user's messages.</summary>
    public string? Room { get; }

    /// <summary>
    /// How many members the room has in the whole farm, as far as the server has told; null until it has, and without
    /// <see cref="JoinOptions.Online"/>. Any thread.
    /// </summary>
    public long? Online => Volatile.Read(ref _online) is >= 0 and var online ? online : null;

    /// <summary>
    /// Where the reader is in the room's history: behind the last event that <see cref="ReadAllAsync"/> has given. Null unless the room has a history. A
    /// later <see cref="JoinOptions.Since"/> continues there. Any thread.
    /// </summary>
    public PushPosition? Position => Events.Position;

    internal EventBuffer Events { get; }

    /// <summary>Whether it hears of what it misses from here on. Guarded by the table's lock.</summary>
    internal bool Hears { get; set; }

    /// <summary>The server has told the number of members.</summary>
    internal void Count(PushOnline online)
    {
        Volatile.Write(ref _online, online.Count);
        Events.Add(online);
    }

    /// <summary>
    /// The events in order. Ends when the subscription or the client is disposed. One reader at a time; a later one goes on where the
    /// earlier one stopped.
    /// </summary>
    /// <exception cref="JoinRefusedException">The server no longer lets the client into the room.</exception>
    /// <exception cref="ConnectionRefusedException">The server no longer accepts the client.</exception>
    /// <exception cref="InvalidOperationException">Another reader is at it.</exception>
    public async IAsyncEnumerable<PushEvent> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (Interlocked.Exchange(ref _reading, 1) != 0)
            throw new InvalidOperationException("The subscription has a reader already. For two readers, subscribe twice.");
        try
        {
            while (await Events.TakeAsync(cancellationToken).ConfigureAwait(false) is { } next)
                yield return next;
        }
        finally
        {
            Volatile.Write(ref _reading, 0);
        }
    }

    /// <summary>Ends the subscription; its last one leaves the room.</summary>
    public ValueTask DisposeAsync()
    {
        _table.Remove(this);
        Events.Close();
        return ValueTask.CompletedTask;
    }
}
