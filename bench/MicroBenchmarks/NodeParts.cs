using System.Diagnostics.Metrics;
using System.Text;
using PushBackplane;
using PushNode.Connections;
using PushNode.FanOut;
using PushNode.Messages;
using PushNode.Settings;
using PushNode.Telemetry;

namespace RedisPush.MicroBenchmarks;

/// <summary>The parts of a node that the benchmarks share: one room, unread metrics, connections over <see cref="NullWire"/>.</summary>
internal sealed class NodeParts : IMeterFactory
{
    private readonly List<Meter> _meters = [];
    private readonly ConnectionRules _rules;

    public NodeParts()
    {
        Metrics = new NodeMetrics(this, CloseReason.All.Select(reason => reason.Label), connectionLimit: int.MaxValue, roomLimit: int.MaxValue);
        Shards = new Shards(new FanOutSettings(), Metrics, TimeProvider.System);
        Members = new RoomMembers(Shards);
        _rules = new ConnectionRules(new ConnectionSettings(), new OutboxSettings(), TimeProvider.System, Metrics, static _ => { });
    }

    public NodeMetrics Metrics { get; }

    public Shards Shards { get; }

    public RoomMembers Members { get; }

    public RoomFrames Frames { get; } = new(Topic.Room(Room));

    /// <summary>A JSON message of this many bytes.</summary>
    public static RoomMessage Message(int bytes) => new(Encoding.UTF8.GetBytes($$"""{"text":"{{new string('x', bytes - 11)}}"}"""));

    /// <summary>Adds this many connections to the room.</summary>
    public void Join(int connections)
    {
        for (var i = 0; i < connections; i++)
            Members.Add(new Membership(new Connection(_rules, new NullWire(), Shards.Next()), Frames));
    }

    public Meter Create(MeterOptions options)
    {
        var meter = new Meter(options);
        _meters.Add(meter);
        return meter;
    }

    public void Dispose()
    {
        Shards.Dispose();
        Metrics.Dispose();
        _meters.ForEach(meter => meter.Dispose());
    }

    private static RoomId Room => RoomId.TryParse("bench", out var room, out var error) ? room : throw new InvalidOperationException(error);
}

/// <summary>Accepts and discards all bytes, so that only the cost before the system call is measured.</summary>
internal sealed class NullWire : IWire
{
    public int? Socket => null;

    public void Attach(Connection connection)
    {
    }

    public void LimitUnacknowledged(TimeSpan time)
    {
    }

    public Task RunAsync() => Task.CompletedTask;

    public int TryWrite(ReadOnlyMemory<byte> bytes) => bytes.Length;

    public void Complete()
    {
    }

    public void Abort()
    {
    }
}
