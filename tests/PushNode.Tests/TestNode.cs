using PushNode.FanOut;
using PushNode.Merging;
using PushNode.Messages;
using PushNode.Protocol;
using PushNode.Settings;
using PushNode.Subscription;

namespace PushNode.Tests;

/// <summary>A node without its listener: everything real between a fake backplane and fake wires, by a clock that the test moves.</summary>
internal sealed class TestNode : IDisposable
{
    public TestNode(MergeSettings? merge = null, SubscriptionSettings? subscription = null, ConnectionSettings? connections = null, OutboxSettings? outbox = null)
    {
        Connections = connections ?? new();
        Outbox = outbox ?? new();
        Shards = new Shards(new FanOutSettings { Workers = 2 }, Metrics.Node, Time);
        Merging = new MergeWorkers(merge ?? new() { Workers = 2 }, Shards, Metrics.Node, Time);
        Rooms = new Rooms(Backplane, Merging, Shards, subscription ?? new(), Metrics.Node, Time, new LogRecorder<Rooms>());
        Sessions = new SessionRules(Rooms, Connections, Metrics.Node, Time);
        Rooms.SubscribeToBroadcasts();
    }

    public ManualTime Time { get; } = new() { RealTimers = true };

    public TestMetrics Metrics { get; } = new();

    public FakeBackplane Backplane { get; } = new();

    public Shards Shards { get; }

    public MergeWorkers Merging { get; }

    public Rooms Rooms { get; }

    public SessionRules Sessions { get; }

    public ConnectionSettings Connections { get; }

    public OutboxSettings Outbox { get; }

    /// <summary>A client with a session behind its connection.</summary>
    public TestClient Connect(out Session session, Variant variant = Variant.Json)
    {
        var client = new TestClient(Metrics, Time, Connections, Outbox, Shards.Next(), variant: variant);
        session = new Session(client.Connection, Sessions);
        return client;
    }

    public TestClient Connect() => Connect(out _);

    /// <summary>Everything received so far is on the wires, or in the outboxes of those that take nothing.</summary>
    public async Task FlushAsync()
    {
        await Merging.FlushAsync();
        await Shards.WhenPassed();
    }

    /// <summary>The linger of every room is over.</summary>
    public void EndLinger()
    {
        Time.Advance(TimeSpan.FromHours(2));
        Rooms.RetireLingering();
    }

    public void Dispose()
    {
        Merging.Dispose();
        Shards.Dispose();
        Metrics.Dispose();
    }
}
