using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using PushBackplane.History;
using TestSupport.Processes;

namespace PushBackplane.Tests.Redis;

public sealed class SeveralServersTests : IAsyncLifetime
{
    private const int Count = 3;

    private readonly RedisProcess[] _servers = new RedisProcess[Count];
    private int _losses;

    public async ValueTask InitializeAsync()
    {
        for (var i = 0; i < Count; i++)
            _servers[i] = await RedisProcess.StartNewAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers)
            await server.DisposeAsync();
        Assert.Equal(0, _losses);
    }

    [Fact]
    public async Task A_room_is_published_on_its_home_and_subscribed_on_all()
    {
        await using var process = await TestBackplane.UpAsync(_servers);
        Assert.Equal($"3 Redis servers: {_servers[0].EndPoint}; {_servers[1].EndPoint}; {_servers[2].EndPoint}", process.Backplane.Description);
        for (var home = 0; home < Count; home++)
        {
            var channel = process.RoomAt(home);
            Assert.Equal($"Redis at {_servers[home].EndPoint}", channel.Home.Description);
            var received = new ConcurrentQueue<string>();
            await process.Backplane.SubscribeAsync(channel, payload => received.Enqueue(Encoding.UTF8.GetString(payload.Span)), NoLoss);

            // All servers have acknowledged: a message published on any of them arrives.
            for (var i = 0; i < Count; i++)
                Assert.Equal("1", await _servers[i].CliAsync("PUBLISH", channel.Name, $"on {i}"));
            await Eventually.HoldsAsync(() => received.Count == Count, "one payload over each server");
            Assert.Equal(["on 0", "on 1", "on 2"], received.Order(StringComparer.Ordinal));

            // A subscriber on the home alone shows that publishing goes there.
            await process.Backplane.UnsubscribeAsync(channel);
            Assert.Equal(0, await process.Backplane.PublishAsync(channel, new byte[1]));
            await using var witness = await TestBackplane.UpAsync(_servers[home], "witness");
            await witness.SubscribeAsync(channel.Name, _ => { });
            Assert.Equal(1, await process.Backplane.PublishAsync(channel, new byte[1]));
        }
    }

    /// <summary>While the list changes, publishers may have another home for a room than the nodes, with another history.</summary>
    [Fact]
    public async Task Positions_count_on_the_home_only()
    {
        await using var process = await TestBackplane.UpAsync(_servers);
        var channel = process.RoomAt(1);
        var received = new ConcurrentQueue<Position?>();
        await process.Backplane.SubscribeAsync(channel, payload =>
        {
            Assert.True(Envelope.TryDecode(payload, out _, out var items, out var before));
            Assert.Equal("a", Encoding.UTF8.GetString(Assert.Single(items).Span));
            received.Enqueue(before);
        }, NoLoss);
        for (var i = 0; i < Count; i++)
        {
            await _servers[i].CliAsync("EVAL", $"return redis.call('PUBLISH', '{channel.Name}', '\\193\\1\\148\\1\\145\\196\\1a\\161e\\7')", "0");
            await Eventually.HoldsAsync(() => received.Count == i + 1, "the payload");
        }

        Assert.Equal([null, new Position("e", 6), null], received);
    }

    [Fact]
    public async Task Channels_that_belong_to_no_room_are_on_the_first_server()
    {
        await using var process = await TestBackplane.UpAsync(_servers);
        Assert.Equal(new BackplaneChannel("push:all", process.Server), process.Backplane.Channel(Topic.All));
        Assert.Equal(new BackplaneChannel("push:control", process.Server), process.Backplane.Control);
    }

    [Fact]
    public async Task A_stopped_server_affects_only_its_own_rooms_and_recovers()
    {
        await using var process = await TestBackplane.UpAsync(_servers);
        var channels = Enumerable.Range(0, Count).Select(home => process.RoomAt(home)).ToArray();
        var losses = new int[Count];
        for (var i = 0; i < Count; i++)
        {
            var room = i;
            await process.Backplane.SubscribeAsync(channels[i], _ => { }, _ => Interlocked.Increment(ref losses[room]));
        }

        await _servers[1].StopAsync();
        await Eventually.HoldsAsync(() => channels[1].Home.Away.IsCompleted, "the outage is noticed");
        Assert.Null(process.Backplane.NotReadyBecause);
        Assert.Equal($"Redis at {_servers[1].EndPoint} does not answer.", process.Backplane.Detail);
        Assert.Equal(1, await process.Backplane.PublishAsync(channels[0], new byte[1]));
        Assert.Null(await process.Backplane.PublishAsync(channels[1], new byte[1]));
        Assert.Equal(1, await process.Backplane.PublishAsync(channels[2], new byte[1]));
        Assert.Equal([true, false, true], channels.Select(channel => channel.Home.IsUp));

        // A room waits for its own server only.
        await process.Backplane.SubscribeAsync(process.RoomAt(0, nth: 1), _ => { }, _ => { });
        var waiting = process.Backplane.SubscribeAsync(process.RoomAt(1, nth: 1), _ => { }, NoLoss);
        Assert.False(waiting.IsCompleted);
        Assert.Equal([0, 0, 0], losses);

        await _servers[1].StartAsync();
        await waiting;
        await process.IsUpAsync();
        // Messages of any room may have been published there.
        await Eventually.HoldsAsync(() => losses.All(count => count == 1), "each room gets one loss notice");
        Assert.Equal(1, await process.Backplane.PublishAsync(channels[1], new byte[1]));
    }

    [Fact]
    public async Task A_stalled_server_delays_a_subscription_only_until_it_is_detected()
    {
        // A busy machine that delays a canary is no outage: only the stalled server is away.
        await using var process = await TestBackplane.UpAsync(_servers, settings: new BackplaneSettings { CanaryTimeout = TimeSpan.FromSeconds(10) });
        _servers[2].Suspend();
        var lost = 0;
        await process.Backplane.SubscribeAsync(process.RoomAt(0), _ => { }, _ => Interlocked.Increment(ref lost));
        Assert.Equal($"Redis at {_servers[2].EndPoint} does not answer.", process.Backplane.Detail);

        // The subscription was complete without the stalled server, so messages published there since are lost, as in an outage.
        _servers[2].Resume();
        await process.IsUpAsync();
        Assert.Equal(1, Volatile.Read(ref lost));
    }

    [Fact]
    public async Task A_process_starts_without_a_server_that_joins_later_as_after_an_outage()
    {
        await _servers[2].StopAsync();
        // Of the other two a busy machine must not make one that joins later.
        await using var process = await TestBackplane.StartAsync(
            _servers.Select((server, i) => i == 2 ? server.EndPoint : $"{server.EndPoint},connectTimeout=60000"));
        var lost = 0;
        await process.Backplane.SubscribeAsync(process.Backplane.Channel(Topic.All), _ => { }, _ => Interlocked.Increment(ref lost));
        await Eventually.HoldsAsync(() => process.Backplane.NotReadyBecause is null, "ready with two");
        Assert.Equal($"Redis at {_servers[2].EndPoint} does not answer.", process.Backplane.Detail);
        Assert.Equal([true, true, false], Enumerable.Range(0, Count).Select(home => process.Backplane.Servers[home].IsUp));
        Assert.Equal(0, Volatile.Read(ref lost));

        await _servers[2].StartAsync();
        await process.IsUpAsync();
        Assert.Equal(1, Volatile.Read(ref lost));
    }

    [Fact]
    public async Task A_start_is_ready_once_every_reachable_server_is_up_and_loses_nothing()
    {
        for (var start = 0; start < 10; start++)
        {
            await using var process = await TestBackplane.StartAsync(_servers.Select(server => $"{server.EndPoint},connectTimeout=60000"));
            var subscribed = process.Backplane.SubscribeAsync(process.Backplane.Channel(Topic.All), _ => { }, NoLoss);
            // Spins, since the servers come up within a few milliseconds.
            Assert.True(SpinWait.SpinUntil(() => process.Backplane.NotReadyBecause is null, Eventually.Patience), "ready");
            Assert.Null(process.Backplane.Detail);
            await subscribed.WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task With_all_servers_unavailable_it_is_not_ready_and_names_each()
    {
        await using var process = await TestBackplane.UpAsync(_servers);
        foreach (var server in _servers)
            await server.StopAsync();
        // The reason is known shortly after the server becomes unavailable.
        var reasons = string.Join('\n', _servers.Select(server => $"Redis at {server.EndPoint} does not answer."));
        await Eventually.HoldsAsync(() => process.Backplane.NotReadyBecause == reasons, reasons);
    }

    [Fact]
    public async Task Unsubscribing_reaches_all_servers_and_cancels_a_pending_subscription()
    {
        await using var process = await TestBackplane.UpAsync(_servers);
        var channel = process.RoomAt(1);
        await process.Backplane.SubscribeAsync(channel, _ => { }, NoLoss);
        await process.Backplane.UnsubscribeAsync(channel);
        foreach (var server in _servers)
            Assert.Equal("0", await server.CliAsync("PUBLISH", channel.Name, "x"));

        foreach (var stalled in new[] { 1, 2 })
        {
            _servers[stalled].Suspend();
            var waiting = process.Backplane.SubscribeAsync(channel, _ => { }, _ => { });
            _ = process.Backplane.UnsubscribeAsync(channel);
            await Assert.ThrowsAsync<TaskCanceledException>(() => waiting);
            _servers[stalled].Resume();
            await process.IsUpAsync();
        }
    }

    /// <summary>Every confirmed message arrives or is covered by a loss notice, for any cuts of any server.</summary>
    [Fact]
    public async Task Repeated_cuts_lose_no_message_without_a_loss_notice()
    {
        await using var publisher = await TestBackplane.UpAsync(_servers, "publisher");
        await using var node = await TestBackplane.UpAsync(_servers, "node");
        var channels = Enumerable.Range(0, Count).Select(home => node.RoomAt(home)).ToArray();
        var targets = Enumerable.Range(0, Count).Select(home => publisher.RoomAt(home)).ToArray();
        var received = channels.Select(_ => new ConcurrentQueue<int>()).ToArray();
        var confirmed = channels.Select(_ => new ConcurrentQueue<int>()).ToArray();
        for (var i = 0; i < Count; i++)
        {
            var room = i;
            await node.Backplane.SubscribeAsync(channels[room], payload => received[room].Enqueue(int.Parse(payload.Span, CultureInfo.InvariantCulture)), _ => received[room].Enqueue(TestBackplane.Loss));
        }

        using var stop = new CancellationTokenSource();
        var traffic = Task.WhenAll(Enumerable.Range(0, Count).Select(room => Task.Run(async () =>
        {
            for (var n = 0; !stop.IsCancellationRequested; n++)
            {
                if (await publisher.Backplane.PublishAsync(targets[room], Encoding.ASCII.GetBytes(n.ToString(CultureInfo.InvariantCulture))) is not null)
                    confirmed[room].Enqueue(n);
            }
        })));
        // A process that has lost one server must never look like one that is starting.
        string? notReady = null;
        var watching = Task.Factory.StartNew(
            () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    notReady ??= node.Backplane.NotReadyBecause;
                    Thread.Yield();
                }
            },
            TestContext.Current.CancellationToken,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        for (var cut = 0; cut < 9; cut++)
        {
            await TrafficAsync();
            var home = channels[cut % Count].Home;
            var away = home.Away;
            await _servers[cut % Count].CliAsync("CLIENT", "KILL", "TYPE", "pubsub");
            await Eventually.HoldsAsync(() => away.IsCompleted, "the cut is noticed");
            await node.IsUpAsync();
            await publisher.IsUpAsync();
        }

        await TrafficAsync();
        await stop.CancelAsync();
        await traffic;
        await watching;
        Assert.Null(notReady);
        for (var room = 0; room < Count; room++)
        {
            var last = confirmed[room].Last();
            await Eventually.HoldsAsync(() => received[room].Contains(last), "the last message");
            Assert.True(received[room].Count(value => value == TestBackplane.Loss) >= 9, "Every room gets a loss notice for each cut.");
            TestBackplane.AssertNoSilentLoss(received[room], confirmed[room]);
        }

        Task TrafficAsync()
        {
            var before = received.Select(room => room.Count).ToArray();
            return Eventually.HoldsAsync(() => received.Zip(before, (room, count) => room.Count > count + 10).All(grown => grown), "traffic in every room");
        }
    }

    /// <summary>
    /// For channels that may lose no message. The end of the test checks the count: an exception here would reach the servers' own threads.
    /// </summary>
    private void NoLoss(IBackplaneServer server) => Interlocked.Increment(ref _losses);
}
