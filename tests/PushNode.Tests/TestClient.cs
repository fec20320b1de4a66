using PushNode.Connections;
using PushNode.Messages;
using PushNode.Settings;
using TestSupport.Clients;

namespace PushNode.Tests;

/// <summary>A connection over a fake wire, seen from the client's side.</summary>
internal sealed class TestClient
{
    public TestClient(TestMetrics metrics, TimeProvider time, ConnectionSettings? connections = null, OutboxSettings? outbox = null, int shard = 0,
        OutboxTotal? total = null, Variant variant = Variant.Json)
    {
        var rules = new ConnectionRules(connections ?? new(), outbox ?? new(), time, metrics.Node, static _ => { });
        Connection = new Connection(total is null ? rules : rules with { OutboxTotal = total }, Wire, shard, variant);
    }

    public FakeWire Wire { get; } = new();

    public Connection Connection { get; }

    /// <summary>All whole frames that came.</summary>
    public List<SentFrame> Frames => SentFrame.ReadAll(Wire.Taken, out _);

    /// <summary>The same, in short; what came so far must end with a whole frame.</summary>
    public string[] Received
    {
        get
        {
            var frames = SentFrame.ReadAll(Wire.Taken, out var rest);
            Assert.Equal(0, rest);
            return [.. frames.Select(frame => frame.Summary)];
        }
    }

    public void Send(params byte[][] frames)
    {
        foreach (var frame in frames)
            Connection.OnBytes([.. frame]);
    }

    public void Send(params string[] texts)
    {
        foreach (var text in texts)
            Send(ClientFrame.Text(text));
    }

    /// <summary>Lets the wire accept this many more bytes.</summary>
    public void Take(long bytes)
    {
        Wire.Budget = bytes;
        Connection.OnWritable();
    }

    public void TakeAll() => Take(long.MaxValue);

    /// <summary>The reader ends, and the wire must not be used any more.</summary>
    public void End()
    {
        Connection.OnEnded();
        Wire.End();
    }

    public Membership Member(RoomFrames frames) => new(Connection, frames);
}
