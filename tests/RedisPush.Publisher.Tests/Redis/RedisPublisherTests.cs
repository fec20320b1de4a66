using RedisPush.Client;
using StackExchange.Redis;
using TestSupport.Processes;

namespace RedisPush.Publisher.Tests.Redis;

/// <summary>Straight to real Redis servers, by StackExchange.Redis, to a real farm.</summary>
public sealed class RedisPublisherTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Messages_arrive_over_the_servers_that_their_rooms_choose()
    {
        await using var first = await RedisProcess.StartNewAsync();
        await using var second = await RedisProcess.StartNewAsync();
        // A busy machine is no outage.
        string[] servers = [$"{first.EndPoint},connectTimeout=60000", $"{second.EndPoint},connectTimeout=60000"];
        await using var farm = await ProgramProcess.StartFarmAsync(
            ("Backplane:Servers:0", servers[0]), ("Backplane:Servers:1", servers[1]), ("Backplane:CanaryTimeout", "00:00:30"),
            ("Backplane:ChannelPrefix", "test:"), ("Push:Merge:Window", "00:00:00.05"));
        using var one = await ConnectionMultiplexer.ConnectAsync(servers[0]);
        using var other = await ConnectionMultiplexer.ConnectAsync(servers[1]);
        var used = new List<int>();
        var publisher = new RedisPublisher([Command(one, () => used.Add(0)), Command(other, () => used.Add(1))], new RedisPublisherOptions { ChannelPrefix = "test:" });
        await using var client = new RedisPushClient(new Uri(farm.WebSocketUrl));
        await using var broadcasts = client.SubscribeBroadcasts();
        await using var a = await Eventually.CompletesAsync(client.JoinAsync("a", cancellationToken: Cancellation), "JOINED of a");
        await using var b = await Eventually.CompletesAsync(client.JoinAsync("room-1", cancellationToken: Cancellation), "JOINED of room-1");

        // docs/redis.md prints 1 for the room a of two servers, and 0 for room-1.
        Assert.Equal(new PublishResult(1, 1), await publisher.PublishAsync("a", PushItem.Json("""{"n": 1}"""), Cancellation));
        Assert.Equal(new PublishResult(2, 1), await publisher.PublishAsync("room-1", [PushItem.Text("two"), PushItem.Text("three")], Cancellation));
        Assert.Equal(new PublishResult(2, 1), await publisher.PublishAsync(["room-1", "a"], [PushItem.Text("both")], Cancellation));
        Assert.Equal(new PublishResult(1, 1), await publisher.BroadcastAsync(PushItem.Text("all"), Cancellation));
        Assert.Equal([1, 0, 0, 1, 0], used);
        Assert.Equal(["""{"n": 1}""", "\"both\""], await TakeAsync(a, 2));
        Assert.Equal(["\"two\"", "\"three\"", "\"both\""], await TakeAsync(b, 3));
        Assert.Equal(["\"all\""], await TakeAsync(broadcasts, 1));
    }

    [Fact]
    public async Task A_failure_of_the_library_is_a_publish_that_may_have_happened()
    {
        var publisher = new RedisPublisher((_, _, _) => throw new TimeoutException("gone"));
        var error = await Assert.ThrowsAsync<PublishException>(() => publisher.PublishAsync("demo", PushItem.Text("x"), Cancellation));
        Assert.True(error.MayBePublished);
        Assert.Equal("Redis server 0 did not confirm: gone", error.Message);
        Assert.IsType<TimeoutException>(error.InnerException);
    }

    [Fact]
    public async Task What_a_node_would_drop_silently_is_an_argument_error()
    {
        var publisher = new RedisPublisher((_, _, _) => Task.FromResult(0L));
        await Assert.ThrowsAsync<ArgumentException>(() => publisher.PublishAsync("a/b", PushItem.Text("x"), Cancellation));
        await Assert.ThrowsAsync<ArgumentException>(() => publisher.PublishAsync(["a", "a"], [PushItem.Text("x")], Cancellation));
        await Assert.ThrowsAsync<ArgumentException>(() => publisher.PublishAsync("a", PushItem.Text(new string('x', 65_535)), Cancellation));
        await Assert.ThrowsAsync<ArgumentException>(() => publisher.PublishAsync("a", [.. Enumerable.Repeat(PushItem.Text(new string('x', 60_000)), 20)], Cancellation));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => publisher.PublishAsync("a", [], Cancellation));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => publisher.PublishAsync("a", new PushItem[1_001], Cancellation));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RedisPublisher([]));
    }

    private static RedisPublishCommand Command(ConnectionMultiplexer redis, Action used) => (channel, payload, _) =>
    {
        used();
        return redis.GetSubscriber().PublishAsync(channel, payload.ToArray());
    };

    private static async Task<List<string>> TakeAsync(PushSubscription subscription, int count)
    {
        var texts = new List<string>();
        await using var events = subscription.ReadAllAsync(Cancellation).GetAsyncEnumerator(Cancellation);
        while (texts.Count < count && await Eventually.CompletesAsync(events.MoveNextAsync().AsTask(), $"message {texts.Count} of {count}"))
            texts.Add(events.Current.ToString()!);
        return texts;
    }
}
