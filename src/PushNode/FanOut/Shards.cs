using PushNode.Connections;
using PushNode.Messages;
using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.FanOut;

/// <summary>
/// Spreads connections over shards and frames over the shards' workers. A room's frames reach each member in the order in which they were dispatched: each shard has
/// one worker, and a worker takes its work in order. Lives as long as the node; any thread.
/// </summary>
internal sealed class Shards : IDisposable
{
    private readonly FanOutWorker[] _workers;
    private readonly Shard[] _shards;
    private readonly NodeMetrics _metrics;
    private readonly TimeProvider _time;
    private int _next;

    /// <param name="settings">How many workers and shards.</param>
    /// <param name="metrics">Where they count.</param>
    /// <param name="time">The clock.</param>
    /// <param name="senders">Makes what a worker sends to many sockets with; null, or what it returns is, when there is no such way.</param>
    /// <param name="logger">Where contained bugs are logged.</param>
    public Shards(FanOutSettings settings, NodeMetrics metrics, TimeProvider time, Func<ISocketSender?>? senders = null, ILogger<Shards>? logger = null)
    {
        var failures = new Failures(FailedStage.FanOut, metrics, time, logger);
        _metrics = metrics;
        _time = time;
        _workers = new FanOutWorker[settings.Workers > 0 ? settings.Workers : Math.Max(1, Environment.ProcessorCount / 2)];
        for (var i = 0; i < _workers.Length; i++)
            _workers[i] = new FanOutWorker(i, metrics, failures, senders?.Invoke());
        _shards = new Shard[settings.Shards > 0 ? settings.Shards : 8 * _workers.Length];
        for (var i = 0; i < _shards.Length; i++)
            _shards[i] = new Shard(i, _workers[i % _workers.Length], metrics);
        Everyone = new RoomMembers(this);
    }

    public int Count => _shards.Length;

    /// <summary>Every connection of the node: who gets broadcasts.</summary>
    public RoomMembers Everyone { get; }

    public Shard this[int index] => _shards[index];

    /// <summary>The shard for a new connection: each in turn.</summary>
    public int Next() => (int)((uint)Interlocked.Increment(ref _next) % (uint)_shards.Length);

    /// <summary>Puts a frame on its way to all members of a room. Returns at once.</summary>
    /// <param name="members">Who gets it; listed shard by shard when its worker gets there.</param>
    /// <param name="frame">What they get.</param>
    /// <param name="publishedAt">The publisher's clock for the oldest message; null when it gave none.</param>
    /// <param name="left">Called once, when every shard has tried every member, also when this throws; on a worker's thread, or on this one when there is no member.</param>
    public void Dispatch(RoomMembers members, Frame frame, DateTimeOffset? publishedAt = null, Action? left = null)
    {
        // The dispatch itself counts as one share, so that the last shard cannot end the flight before the first of the rest has begun.
        var flight = new Flight(frame, publishedAt, left, _metrics, _time);
        try
        {
            foreach (var shard in _shards)
            {
                if (members.In(shard.Index) is { } set)
                    Begin(flight, shard, set);
            }
        }
        finally
        {
            flight.End();
        }
    }

    /// <summary>Completes when everything dispatched before has been tried on every member.</summary>
    public Task WhenPassed() => Task.WhenAll(Array.ConvertAll(_workers, worker => worker.WhenPassed()));

    /// <summary>Does something with every connection, shard by shard, without holding a lock meanwhile. If it throws for one, that one fails and the rest have their turn.</summary>
    public void ForEach(Action<Connection> action)
    {
        Membership[] buffer = [];
        foreach (var shard in _shards)
        {
            if (Everyone.In(shard.Index) is not { } set)
                continue;
            var count = shard.List(set, ref buffer);
            for (var i = 0; i < count; i++)
                Try(action, buffer[i].Connection);
        }
    }

    /// <inheritdoc cref="Shard.ReportUncontended"/>
    public void ReportUncontended()
    {
        foreach (var shard in _shards)
            shard.ReportUncontended();
    }

    public void Dispose()
    {
        foreach (var worker in _workers)
            worker.Dispose();
    }

    private static void Try(Action<Connection> action, Connection connection)
    {
        try
        {
            action(connection);
        }
        catch (Exception bug)
        {
            connection.Fail(bug);
        }
    }

    private static void Begin(Flight flight, Shard shard, MemberSet members)
    {
        flight.Begin();
        try
        {
            shard.Worker.Enqueue(new FanOutWorker.Work(flight, shard, members));
        }
        catch
        {
            flight.End();
            throw;
        }
    }
}
