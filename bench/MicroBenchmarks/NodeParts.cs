using System.Diagnostics.Metrics;
using System.Text;
using PushBackplane;
using PushNode.Connections;
using PushNode.FanOut;
using PushNode.Messages;
using PushNode.Settings;
using PushNode.Telemetry;

namespace RedisPush.MicroBenchmarks;

/// <summary>The parts of a node that benchmarks share: one room, metrics that nobody reads, connections over null wires.</summary>
internal sealed class NodeParts : IMeterFactory
{
    private readonly List<Meter> _meters = [];
    private readonly ConnectionRules _rules;

    public NodeParts()
    {
        Metrics = new NodeMetrics(this, CloseReason.All.Select(reason => reason.Label), connectionLimit: int.MaxValue, roomLimit: int.MaxValue);
        Shards = new Shards(new FanOutSettings(), Metrics, TimeProvider.System);
        Members = new RoomMembers(Shards);
        _rules = new ConnectionRules(new ConnectionSettings(), new OutboxSettings(), TimeProvider.System, Metrics, static () => { });
    }

    public NodeMetrics Metrics { get; }

    public Shards Shards { get; }

    public RoomMembers Members { get; }

    public RoomFrames Frames { get; } = new(Room);

    /// <summary>A JSON message of so many bytes.</summary>
    public static ReadOnlyMemory<byte> Message(int bytes) => Encoding.UTF8.GetBytes($$"""{"text":"{{new string('x', bytes - 11)}}"}""");

    /// <summary>Lets so many connections into the room.</summary>
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
