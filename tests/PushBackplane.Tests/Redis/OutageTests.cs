using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using TestSupport.Processes;

namespace PushBackplane.Tests.Redis;

public sealed class OutageTests : IAsyncLifetime
{
    private RedisProcess _server = null!;

    public async ValueTask InitializeAsync() => _server = await RedisProcess.StartNewAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task After_a_crash_and_restart_messages_flow_again_by_themselves()
    {
        await using var node = await TestBackplane.UpAsync(_server);
        var received = new ConcurrentQueue<string>();
        await node.SubscribeAsync("push:room:a", payload => received.Enqueue(Encoding.UTF8.GetString(payload.Span)));
        var away = node.Server.Away;
        Assert.False(away.IsCompleted);
        Assert.Null(node.Backplane.NotReadyBecause);

        await _server.StopAsync();
        await Eventually.HoldsAsync(() => away.IsCompleted, "the outage is noticed");
        Assert.False(node.Server.IsUp);
        Assert.Null(await node.PublishAsync("push:room:a", new byte[1]));
        await Eventually.HoldsAsync(() => node.Backplane.NotReadyBecause == $"Redis at {_server.EndPoint} does not answer.", "the reason");
        Assert.Equal(0, node.Losses("push:room:a"));

        await _server.StartAsync();
        await node.IsUpAsync();
        Assert.Equal(1, node.Losses("push:room:a"));
        Assert.False(node.Server.Away.IsCompleted);
        await _server.CliAsync("PUBLISH", "push:room:a", "again");
        await Eventually.HoldsAsync(() => received.Contains("again"), "delivery");
    }

    [Fact]
    public async Task A_subscriber_that_throws_at_a_loss_notice_affects_no_other()
    {
        await using var node = await TestBackplane.UpAsync(_server);
        var received = new ConcurrentQueue<string>();
        await node.SubscribeAsync("push:room:a", payload => received.Enqueue(Encoding.UTF8.GetString(payload.Span)), () => throw new InvalidOperationException("A bug of the test."));
        await node.SubscribeAsync("push:room:b", _ => { });
        await _server.StopAsync();
        await Eventually.HoldsAsync(() => !node.Server.IsUp, "the outage is noticed");
        await _server.StartAsync();
        await node.IsUpAsync();
        Assert.Equal(1, node.Losses("push:room:a"));
        Assert.Equal(1, node.Losses("push:room:b"));
        Assert.Equal(1, node.Log.Count(2004));
        await _server.CliAsync("PUBLISH", "push:room:a", "again");
        await Eventually.HoldsAsync(() => received.Contains("again"), "delivery");
    }

    [Fact]
    public async Task A_stalled_server_is_detected_and_reconnected()
    {
        // A busy machine that delays a canary is no outage: there is only the stall's.
        await using var node = await TestBackplane.UpAsync(_server, settings: new BackplaneSettings { CanaryTimeout = TimeSpan.FromSeconds(10) });
        var received = new ConcurrentQueue<string>();
        await node.SubscribeAsync("push:room:a", payload => received.Enqueue(Encoding.UTF8.GetString(payload.Span)));

        _server.Suspend();
        await Eventually.HoldsAsync(() => !node.Server.IsUp, "the stall is noticed");
        await Eventually.HoldsAsync(() => node.Log.Text.Contains("it has stopped answering", StringComparison.Ordinal), "the cause is logged");
        Assert.True(node.Server.Away.IsCompleted);

        _server.Resume();
        await node.IsUpAsync();
        Assert.Equal(1, node.Losses("push:room:a"));
        await _server.CliAsync("PUBLISH", "push:room:a", "again");
        await Eventually.HoldsAsync(() => received.Contains("again"), "delivery");
        await Eventually.HoldsAsync(async () => await _server.CliAsync("PUBSUB", "NUMSUB", "push:room:a") == "push:room:a\n1", "the old connection is gone");
    }

    [Fact]
    public async Task A_publish_into_a_stall_ends_after_its_time_out()
    {
        await using var node = await TestBackplane.UpAsync(_server, settings: new BackplaneSettings
        {
            PublishTimeout = TimeSpan.FromMilliseconds(200),
            CanaryTimeout = TestBackplane.Patience,
        });
        await Eventually.HoldsAsync(async () => await node.PublishAsync("push:all", new byte[1]) == 0, "a publish is confirmed");

        _server.Suspend();
        Task<int?>[] publishing = [.. Enumerable.Range(0, 100).Select(_ => node.PublishAsync("push:all", new byte[1]))];
        Assert.All(await Task.WhenAll(publishing), reached => Assert.Null(reached));
        Assert.True(node.Server.IsUp, "a publish that timed out is no outage");

        _server.Resume();
        await Eventually.HoldsAsync(async () => await node.PublishAsync("push:all", new byte[1]) == 0, "a publish is confirmed again");
    }

    [Fact]
    public async Task A_pending_publish_ends_when_the_connection_closes()
    {
        await using var node = await TestBackplane.UpAsync(_server, settings: new BackplaneSettings
        {
            PublishTimeout = TimeSpan.FromMinutes(10),
            CanaryTimeout = TimeSpan.FromSeconds(1),
        });
        _server.Suspend();
        Assert.Null(await node.PublishAsync("push:all", new byte[1]));
    }

    [Fact]
    public async Task A_start_without_Redis_waits_for_it()
    {
        await _server.StopAsync();
        await using var node = await TestBackplane.StartAsync(_server.EndPoint);
        var received = false;
        var subscribed = node.SubscribeAsync("push:all", _ => received = true);
        var cancelled = node.SubscribeAsync("push:room:gone", _ => { });
        await node.UnsubscribeAsync("push:room:gone");
        await Assert.ThrowsAsync<TaskCanceledException>(() => cancelled);

        await Eventually.HoldsAsync(() => node.Log.Count(2002) > 0, "the outage is logged");
        Assert.False(node.Server.IsUp);
        Assert.True(node.Server.Away.IsCompleted);
        Assert.False(subscribed.IsCompleted);
        Assert.Null(await node.PublishAsync("push:all", new byte[1]));

        await _server.StartAsync();
        await node.IsUpAsync();
        await subscribed;
        Assert.Equal("", await _server.CliAsync("PUBSUB", "CHANNELS", "push:room:*"));
        await _server.CliAsync("PUBLISH", "push:all", "x");
        await Eventually.HoldsAsync(() => received, "delivery");
        Assert.Equal(0, node.Losses("push:all"));
        await Eventually.HoldsAsync(() => node.Log.Count(2001) == 1, "the end of the outage is logged");
    }

    [Fact]
    public async Task A_subscription_begun_in_an_outage_waits_for_its_acknowledgement()
    {
        await using var node = await TestBackplane.UpAsync(_server);
        for (var outage = 0; outage < 3; outage++)
        {
            await _server.StopAsync();
            await Eventually.HoldsAsync(() => !node.Server.IsUp, "the outage is noticed");
            var first = new ConcurrentQueue<string>();
            var second = new ConcurrentQueue<string>();
            var early = node.SubscribeAsync($"push:room:{outage}", payload => first.Enqueue(Encoding.UTF8.GetString(payload.Span)));
            await node.UnsubscribeAsync($"push:room:{outage}");
            var late = node.SubscribeAsync($"push:room:{outage}", payload => second.Enqueue(Encoding.UTF8.GetString(payload.Span)));
            await Assert.ThrowsAsync<TaskCanceledException>(() => early);
            Assert.False(late.IsCompleted);

            await _server.StartAsync();
            await late;
            await _server.CliAsync("PUBLISH", $"push:room:{outage}", "x");
            await Eventually.HoldsAsync(() => second.Count == 1, "delivery");
            Assert.Empty(first);
            await node.IsUpAsync();
        }

        // Each outage is a loss for the channels acknowledged before it.
        Assert.Equal([2, 1, 0], Enumerable.Range(0, 3).Select(outage => node.Losses($"push:room:{outage}")));
    }

    [Fact]
    public async Task A_killed_subscriber_connection_under_traffic_is_an_ordinary_outage()
    {
        await using var publisher = await TestBackplane.UpAsync(_server, "publisher");
        await using var node = await TestBackplane.UpAsync(_server, "node");
        var received = new ConcurrentQueue<int>();
        var confirmed = new ConcurrentQueue<int>();
        await node.SubscribeAsync("push:room:a", payload => received.Enqueue(BitConverter.ToInt32(payload.Span)), () => received.Enqueue(TestBackplane.Loss));
        using var stop = new CancellationTokenSource();
        var traffic = Task.Run(async () =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                if (await publisher.PublishAsync("push:room:a", BitConverter.GetBytes(i)) is not null)
                    confirmed.Enqueue(i);
            }
        }, TestContext.Current.CancellationToken);

        for (var kill = 1; kill <= 10; kill++)
        {
            var before = received.Count;
            await Eventually.HoldsAsync(() => received.Count > before, "traffic");
            var away = node.Server.Away;
            await _server.CliAsync("CLIENT", "KILL", "TYPE", "pubsub");
            await Eventually.HoldsAsync(() => away.IsCompleted, "the cut is noticed");
            await Eventually.HoldsAsync(() => node.Losses("push:room:a") == kill, "the cut is reported");
            await Eventually.HoldsAsync(() => node.Server.IsUp && publisher.Server.IsUp, "both are back");
        }

        await stop.CancelAsync();
        await traffic;
        TestBackplane.AssertNoSilentLoss(received, confirmed);
    }

    [Fact]
    public async Task Each_channel_gets_one_loss_notice_once_it_is_subscribed_again()
    {
        const int Channels = 5_000;
        await using var node = await TestBackplane.UpAsync(_server);
        await Task.WhenAll(Enumerable.Range(0, Channels).Select(i => node.SubscribeAsync($"push:room:{i}", _ => { })));
        // On a connection that is there already: the server counts as stalled if all channels take ten seconds, and on a busy machine redis-cli may
        // need as long to start.
        using var asking = new TcpClient();
        await asking.ConnectAsync(IPAddress.Loopback, _server.Port, TestContext.Current.CancellationToken);
        using var answer = new StreamReader(asking.GetStream());
        string? subscribersWhenTold = null;
        await node.SubscribeAsync("push:room:last", _ => { }, () =>
        {
            asking.GetStream().Write("PUBSUB NUMSUB push:room:last\r\n"u8);
            subscribersWhenTold = string.Join(' ', Enumerable.Range(0, 4).Select(_ => answer.ReadLine()));
        });

        await _server.CliAsync("CLIENT", "KILL", "TYPE", "pubsub");
        await Eventually.HoldsAsync(() => node.Losses("push:room:last") == 1 && node.Server.IsUp, "the outage is over");

        Assert.Equal("*2 $14 push:room:last :1", subscribersWhenTold);
        Assert.All(Enumerable.Range(0, Channels), i => Assert.Equal(1, node.Losses($"push:room:{i}")));
    }

    [Fact]
    public async Task A_first_connection_to_a_stalled_server_is_made_once_it_resumes()
    {
        _server.Suspend();
        await using var node = await TestBackplane.StartAsync(_server.EndPoint);
        await Eventually.HoldsAsync(() => node.Log.Count(2002) > 0, "the attempt is given up");
        _server.Resume();
        await node.IsUpAsync();
    }

    [Fact]
    public async Task Stopping_does_not_wait_for_an_unavailable_or_stalled_Redis()
    {
        var up = await TestBackplane.UpAsync(_server);
        _server.Suspend();
        var connecting = await TestBackplane.StartAsync(_server.EndPoint);
        var subscribed = connecting.SubscribeAsync("push:all", _ => { });

        await up.DisposeAsync().AsTask().WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);
        await connecting.DisposeAsync().AsTask().WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<TaskCanceledException>(() => subscribed);
    }
}
