using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using PushBackplane.Redis;
using PushBackplane.Telemetry;
using TestSupport.Processes;

namespace PushBackplane.Tests.Redis;

public sealed class RedisLinkTests : IAsyncLifetime
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().AddSingleton<BackplaneMetrics>().BuildServiceProvider();
    private RedisProcess _server = null!;

    public async ValueTask InitializeAsync() => _server = await RedisProcess.StartNewAsync();

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_new_link_can_subscribe_at_once()
    {
        for (var i = 0; i < 50; i++)
        {
            using var link = await ConnectAsync();
            Assert.True(await link.Subscriber.SubscribeAsync("a", _ => { }));
        }
    }

    [Fact]
    public async Task A_link_has_one_connection_that_publishes_and_one_that_subscribes()
    {
        using var link = await ConnectAsync();
        Assert.True(await link.Subscriber.SubscribeAsync("a", _ => { }));
        Assert.Equal(1, await link.PublishAsync("a", [1], TestBackplane.Patience, TimeProvider.System));
        var clients = (await _server.CliAsync("CLIENT", "LIST")).Split('\n').Where(client => !client.Contains("cmd=client|list", StringComparison.Ordinal)).ToArray();
        Assert.Equal(2, clients.Length);
        Assert.Single(clients, client => client.Contains(" sub=1 ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_subscription_on_a_closed_link_is_never_acknowledged()
    {
        using var link = await ConnectAsync();
        await _server.StopAsync();
        await Eventually.HoldsAsync(() => link.IsClosed, "the cut is noticed");

        Assert.False(await link.Subscriber.SubscribeAsync("a", _ => { }));
        Assert.Null(await link.PublishAsync("a", [1], TimeSpan.FromMinutes(10), TimeProvider.System));
        await link.Subscriber.UnsubscribeAsync("a");
    }

    /// <summary>A process that is out of descriptors gets no socket either: it must retry, not exit.</summary>
    [Fact]
    public async Task A_socket_that_cannot_be_made_is_an_unreachable_server()
    {
        var options = RedisOptions.Parse("ConnectionStrings:Redis", $"{_server.EndPoint},connectTimeout=20000");
        options.Library.EndPoints.Clear();
        options.Library.EndPoints.Add(new UnusableEndPoint());
        var refused = await Assert.ThrowsAsync<RedisUnreachableException>(
            () => RedisLink.ConnectAsync(options, TimeSpan.Zero, TimeProvider.System, TestContext.Current.CancellationToken));
        Assert.StartsWith("it cannot be reached (", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_first_cause_counts()
    {
        using var link = await ConnectAsync();
        Assert.Null(link.Cause);
        link.Fail("one");
        link.Fail("two");
        Assert.True(link.IsClosed);
        Assert.Equal("one", link.Cause);
    }

    [Fact]
    public async Task Payloads_of_a_closed_link_or_an_ended_subscription_are_ignored()
    {
        using var old = await ConnectAsync();
        using var current = await ConnectAsync();
        var received = new List<byte>();
        var begun = new List<bool>();
        var subscription = new RedisSubscription("a", payload => received.Add(payload.Span[0]), begun.Add, new SubscriberFailures(NullLogger.Instance, TimeProvider.System));
        subscription.Deliver(old, [1]);
        old.Fail("cut");
        subscription.Deliver(old, [2]);
        subscription.Begin(old);
        Assert.Equal([true], begun);
        subscription.Deliver(current, [3]);
        subscription.Begin(current);
        Assert.Equal([true, false], begun);
        subscription.End();
        subscription.Deliver(current, [4]);
        Assert.Equal([1, 3], received);
    }

    [Fact]
    public async Task A_canary_from_before_the_link_proves_nothing_about_it()
    {
        using var link = await ConnectAsync();
        var nonce = Guid.NewGuid();
        var canary = NewCanary(link, nonce, TimeProvider.System);
        Assert.True(await canary.SubscribeAsync());

        Assert.Equal("1", await _server.CliAsync("PUBLISH", "canary", $"{nonce:N} 1"));
        // A second channel on the same socket: once it delivers, everything before it has been handled.
        var handled = new TaskCompletionSource();
        await link.Subscriber.SubscribeAsync("after", _ => handled.TrySetResult());
        await _server.CliAsync("PUBLISH", "after", "x");
        await handled.Task;
        Assert.False(canary.FirstBack.IsCompleted);

        await _server.CliAsync("PUBLISH", "canary", string.Create(CultureInfo.InvariantCulture, $"{nonce:N} {TimeProvider.System.GetTimestamp()}"));
        await canary.FirstBack;
    }

    [Fact]
    public async Task A_process_that_was_itself_stopped_does_not_blame_redis()
    {
        using var link = await ConnectAsync();
        using var witness = await ConnectAsync();
        var time = new JumpingTime();
        var canary = NewCanary(link, Guid.NewGuid(), time);
        Assert.True(await canary.SubscribeAsync());
        var canaries = 0;
        Assert.True(await witness.Subscriber.SubscribeAsync("canary", _ => Interlocked.Increment(ref canaries)));
        var running = canary.RunAsync();
        await canary.FirstBack;

        // The clock as a process sees it that gets no CPU for an hour.
        time.Jump(TimeSpan.FromHours(1));
        var before = Volatile.Read(ref canaries);
        await Eventually.HoldsAsync(() => Volatile.Read(ref canaries) >= before + 3, "three more canaries");

        Assert.Null(link.Cause);
        link.Fail("end");
        await running;
    }

    /// <summary>However long a busy machine takes.</summary>
    private Task<RedisLink> ConnectAsync() => RedisLink.ConnectAsync(
        RedisOptions.Parse("ConnectionStrings:Redis", $"{_server.EndPoint},connectTimeout=60000"),
        TimeSpan.Zero,
        TimeProvider.System,
        TestContext.Current.CancellationToken);

    private Canary NewCanary(RedisLink link, Guid nonce, TimeProvider time) =>
        new(link, "canary", nonce, TestBackplane.Patience, () => { }, time, _services.GetRequiredService<BackplaneMetrics>().Add("test"));

    /// <summary>Runs so slowly that the second for which the canary waits after a jump is enough for a busy machine too.</summary>
    private sealed class JumpingTime : TimeProvider
    {
        private const int Slowness = 8;

        private long _ahead;

        public void Jump(TimeSpan by) => Interlocked.Add(ref _ahead, (long)(by.TotalSeconds * TimestampFrequency));

        public override long GetTimestamp() => (base.GetTimestamp() / Slowness) + Interlocked.Read(ref _ahead);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime == Timeout.InfiniteTimeSpan ? dueTime : dueTime * Slowness, period);
    }

    /// <summary>Has an address family for which the system makes no stream sockets.</summary>
    private sealed class UnusableEndPoint() : IPEndPoint(IPAddress.Loopback, 1)
    {
        public override AddressFamily AddressFamily => AddressFamily.AppleTalk;
    }
}
