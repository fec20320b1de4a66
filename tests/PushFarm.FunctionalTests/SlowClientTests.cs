using System.Text;
using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>Clients that do not read lose frames or their connection; others lose nothing.</summary>
public abstract class SlowClientTests(NodeTransport transport) : TransportTests(transport), IAsyncLifetime
{
    private const int Readers = 30;
    private const int Sleepers = 20;
    // More than the kernel buffers for an unread socket, in frames of two messages of 20 KB.
    private const int Rounds = 250;
    private const int SmallReceiveBuffer = 8 * 1024;

    private static readonly string Pad = new('x', 20_000);

    private readonly string _room = Room.New();
    private RedisProcess _redis = null!;
    private RedisPublisher _publisher = null!;
    private int _published;

    public async ValueTask InitializeAsync()
    {
        _redis = await RedisProcess.StartNewAsync();
        _publisher = await RedisPublisher.ConnectAsync(_redis);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await _publisher.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task Clients_that_never_read_lose_the_oldest_frames_and_get_a_GAP()
    {
        await using var node = await StartNodeAsync(
            ("Push:Outbox:WhenFull", "DropOldest"), ("Push:Outbox:StuckAfter", "00:10:00"), ("Push:Connections:CloseAfter", "01:00:00"));
        var (readers, sleepers) = await LoadAsync(node);
        await Metrics.UntilAsync(node, metrics => metrics["push_deliveries_dropped_total"] >= Sleepers, "deliveries are dropped");
        Assert.All(sleepers, sleeper => Assert.False(sleeper.Client.Ended.IsCompleted));

        foreach (var sleeper in sleepers)
            sleeper.Client.ResumeReading();
        await PublishAsync();
        await Member.SawAllAsync(readers, _published, node);
        await Member.SawAllAsync(sleepers, _published, node);

        Assert.All(readers, reader => Assert.Equal(0, reader.Stream.Missed));
        Assert.All(sleepers, sleeper => Assert.InRange(sleeper.Stream.Missed, 1, _published));
        var metrics = await Metrics.UntilAsync(
            node, metrics => metrics["push_deliveries_expected_total"] == _published * (Readers + Sleepers) && Settled(metrics), "all are expected, and expected = deliveries + dropped");
        Assert.Equal(sleepers.Sum(sleeper => sleeper.Stream.Missed), metrics["push_deliveries_dropped_total"]);
        await EndAsync(readers, sleepers);
    }

    [Fact]
    public async Task Clients_that_never_read_are_disconnected_if_the_policy_says_so()
    {
        // The load must end before the node's CloseTimeout for clients that do not read. So the kernel buffers little, and few rounds are enough.
        await using var node = await StartNodeAsync(
            ("Push:Outbox:WhenFull", "Disconnect"), ("Push:Outbox:StuckAfter", "00:10:00"), ("Push:Connections:CloseTimeout", "00:01:00"),
            ("Push:Connections:SendBufferBytes", "8192"));
        var (readers, sleepers) = await LoadAsync(node, rounds: 40);
        foreach (var sleeper in sleepers)
            sleeper.Client.ResumeReading();
        var ends = await Task.WhenAll(sleepers.Select(sleeper => sleeper.Client.EndAsync()));
        // A client that resumes reading in time gets the close frame; the others are cut.
        Assert.All(ends, end => Assert.True(end.Code == 4008, end.ToString()));
        Assert.All(sleepers, sleeper => Assert.Null(sleeper.Stream.Fault));
        var metrics = await Metrics.UntilAsync(node, OnlyReadersAreLeft, "only the readers are left");
        Assert.Equal(Sleepers, metrics["push_connections_closed_total"]);

        await PublishAsync();
        await Member.SawAllAsync(readers, _published, node);
        await EndAsync(readers, sleepers);
    }

    [Fact]
    public async Task Stuck_clients_are_disconnected_under_any_policy()
    {
        await using var node = await StartNodeAsync(("Push:Outbox:WhenFull", "DropOldest"), ("Push:Outbox:StuckAfter", "00:00:05"));
        var (readers, sleepers) = await LoadAsync(node);
        var metrics = await Metrics.UntilAsync(node, OnlyReadersAreLeft, "only the readers are left");
        Assert.Equal(Sleepers, metrics["push_connections_closed_total"]);

        await PublishAsync();
        await Member.SawAllAsync(readers, _published, node);
        await EndAsync(readers, sleepers);
    }

    private static bool Settled(Metrics metrics) => metrics["push_deliveries_expected_total"] == metrics["push_deliveries_total"] + metrics["push_deliveries_dropped_total"];

    /// <summary>A client that ends is counted a moment after it is no longer there.</summary>
    private static bool OnlyReadersAreLeft(Metrics metrics) =>
        metrics["push_connections"] == Readers && metrics["push_connections_closed_total"] >= Sleepers && Settled(metrics);

    private static async Task EndAsync(params IReadOnlyList<Member>[] members)
    {
        foreach (var member in members.SelectMany(group => group))
            await member.DisposeAsync();
    }

    // Two messages fill a batch, so that each round is one frame at once.
    private Task<ProgramProcess> StartNodeAsync(params (string, string)[] settings) =>
        StartNodeAsync(_redis, [("Push:Merge:MaxBatchBytes", "32768"), ("Push:Outbox:MaxBytes", "262144"), .. settings]);

    private async Task<(IReadOnlyList<Member> Readers, IReadOnlyList<Member> Sleepers)> LoadAsync(ProgramProcess node, int rounds = Rounds)
    {
        var readers = await Member.JoinAsync(node, _room, Readers);
        var sleepers = await Member.JoinAsync(node, _room, Sleepers, SmallReceiveBuffer);
        foreach (var sleeper in sleepers)
            sleeper.Client.StopReading();
        for (var round = 0; round < rounds; round++)
        {
            await PublishAsync();
            await Member.SawAllAsync(readers, _published, node);
        }

        return (readers, sleepers);
    }

    private async Task PublishAsync()
    {
        var payloads = Enumerable.Range(_published, 2).Select(n => Encoding.UTF8.GetBytes($"{{\"n\":{n},\"pad\":\"{Pad}\"}}")).ToList();
        await _publisher.PublishAsync(Room.Channel(_room), payloads);
        _published += payloads.Count;
    }

    public sealed class OverEpoll() : SlowClientTests(NodeTransport.Epoll);

    public sealed class OverIoUring() : SlowClientTests(NodeTransport.IoUring);

    public sealed class OverKestrel() : SlowClientTests(NodeTransport.Stream);
}
