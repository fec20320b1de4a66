using System.Buffers;
using PushNode.Connections;
using PushNode.Messages;
using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.FanOut;

/// <summary>
/// Spreads connections over shards, and each frame over the shards that have members of its room. A room's frames reach each member in the
/// order of their dispatch, because a shard has one thread and a queue that keeps it (<see cref="ShardQueue"/>). Lives as long as the node; any thread.
/// </summary>
internal sealed class Shards : IDisposable
{
    private readonly Shard[] _shards;
    private readonly BatchEncoder _encoder;
    private readonly NodeMetrics _metrics;
    private readonly TimeProvider _time;
    private int _next;

    /// <param name="settings">How many shards.</param>
    /// <param name="metrics">Counts the shards' work.</param>
    /// <param name="time">The clock.</param>
    /// <param name="senders">Makes each shard's sender to many sockets; if it is null or returns null, each wire sends by itself.</param>
    /// <param name="logger">Logs contained bugs.</param>
    /// <param name="compression">When batches are deflated; null for the defaults.</param>
    public Shards(
        FanOutSettings settings, NodeMetrics metrics, TimeProvider time, Func<ISocketSender?>? senders = null, ILogger<Shards>? logger = null,
        CompressionSettings? compression = null)
    {
        var failures = new Failures(FailedStage.FanOut, metrics, time, logger);
        _metrics = metrics;
        _time = time;
        _encoder = new BatchEncoder(compression ?? new CompressionSettings(), metrics);
        _shards = new Shard[settings.Workers > 0 ? settings.Workers : Math.Clamp(Environment.ProcessorCount / 2, 1, 256)];
        for (var i = 0; i < _shards.Length; i++)
            _shards[i] = new Shard(i, metrics, failures, time, senders?.Invoke());
        Everyone = new RoomMembers(this);
        Strangers = new RoomMembers(this);
    }

    public int Count => _shards.Length;

    /// <summary>Every connection of the node but <see cref="Strangers"/>: the members for broadcasts.</summary>
    public RoomMembers Everyone { get; }

    /// <summary>The connections that get no broadcast: those that still need a token, and those that are closed because theirs is bad.</summary>
    public RoomMembers Strangers { get; }

    public Shard this[int index] => _shards[index];

    /// <summary>The shard for a new connection; takes each shard in turn.</summary>
    public int Next() => (int)((uint)Interlocked.Increment(ref _next) % (uint)_shards.Length);

    /// <summary>Sends a batch to all members of a room, encoded for each variant that has members. Returns at once.</summary>
    /// <param name="members">The recipients; each shard lists its own when it gets to the frame.</param>
    /// <param name="batch">The batch to send. Encoded before this returns.</param>
    /// <param name="publishedAt">The publisher's clock for the oldest message; null if it gave none.</param>
    /// <param name="left">
    /// Called once, when every shard has tried every member, also if this throws; on a shard's thread, or on the caller's if there is no
    /// member.
    /// </param>
    public void Dispatch(RoomMembers members, Batch batch, DateTimeOffset? publishedAt = null, Action? left = null)
    {
        // The dispatch itself counts as a shard, so that a fast shard cannot end the flight before the next one is added.
        var flight = new Flight(batch.Messages, publishedAt, left, _metrics, _time);
        try
        {
            _encoder.Begin(batch);
            // JSON is ready: its members do not wait until the batch is encoded for the others.
            Enqueue(flight, batch, members, isJson: true);
            Enqueue(flight, batch, members, isJson: false);
        }
        finally
        {
            flight.End();
        }
    }

    /// <summary>Completes when everything dispatched before has been tried for every member.</summary>
    public Task WhenPassed() => Task.WhenAll(Array.ConvertAll(_shards, shard => shard.WhenPassed()));

    /// <summary>
    /// Calls the action for every connection, without a lock. If it throws for one, that connection is closed and the rest get their
    /// turn.
    /// </summary>
    public void ForEach(Action<Connection> action)
    {
        // The others last: a connection that becomes one of them meanwhile gets a second turn, and none is left out.
        ForEach(Strangers, member => action(member.Connection));
        ForEach(Everyone, member => action(member.Connection));
    }

    /// <summary>The same for the members of one room.</summary>
    public void ForEach(RoomMembers members, Action<Membership> action)
    {
        // Rented: the tick would otherwise allocate a large object every second.
        var rented = ArrayPool<Membership>.Shared.Rent(members.Count);
        try
        {
            for (var shard = 0; shard < _shards.Length; shard++)
            {
                for (var set = members.First(shard); set is not null; set = set.Next)
                {
                    var count = _shards[shard].List(set, ref rented);
                    foreach (var member in rented.AsSpan(0, count))
                        Try(action, member);
                }
            }
        }
        finally
        {
            ArrayPool<Membership>.Shared.Return(rented, clearArray: true);
        }
    }

    /// <inheritdoc cref="Shard.ReportUncontended"/>
    public void ReportUncontended() => Array.ForEach(_shards, shard => shard.ReportUncontended());

    /// <summary>Finishes what is queued and ends the threads.</summary>
    public void Dispose() => Array.ForEach(_shards, shard => shard.Dispose());

    private void Enqueue(Flight flight, Batch batch, RoomMembers members, bool isJson)
    {
        for (var shard = 0; shard < _shards.Length; shard++)
        {
            for (var set = members.First(shard); set is not null; set = set.Next)
            {
                if (set.Count > 0 && set.Variant == Variant.Json == isJson)
                    _shards[shard].Enqueue(flight, _encoder.Encode(batch, set.Variant, members), set);
            }
        }
    }

    private static void Try(Action<Membership> action, Membership member)
    {
        try
        {
            action(member);
        }
        catch (Exception e)
        {
            member.Connection.Fail(e);
        }
    }
}
