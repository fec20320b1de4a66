using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using TestSupport.Processes;

namespace PushBackplane.Tests.Redis;

public sealed class DeliveryTests : IAsyncLifetime
{
    private RedisProcess _server = null!;

    public async ValueTask InitializeAsync() => _server = await RedisProcess.StartNewAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Payloads_from_redis_cli_arrive_byte_for_byte()
    {
        await using var node = await TestBackplane.UpAsync(_server);
        var received = new ConcurrentQueue<string>();
        await node.SubscribeAsync("push:room:默认房间", payload => received.Enqueue(Encoding.UTF8.GetString(payload.Span)));

        Assert.Equal("1", await _server.CliAsync("PUBLISH", "push:room:默认房间", """{"text":"你好 😀"}"""));
        await _server.CliAsync("PUBLISH", "push:room:默认房间", "42");
        await _server.CliAsync("PUBLISH", "push:room:默认房间", "");

        await Eventually.HoldsAsync(() => received.Count == 3, "three payloads");
        Assert.Equal(["""{"text":"你好 😀"}""", "42", ""], received);
    }

    [Fact]
    public async Task A_publish_returns_the_number_of_subscribers_reached()
    {
        await using var one = await TestBackplane.UpAsync(_server, "one");
        await using var two = await TestBackplane.UpAsync(_server, "two");

        Assert.Equal(0, await one.PublishAsync("push:all", new byte[1]));
        await one.SubscribeAsync("push:all", _ => { });
        Assert.Equal(1, await two.PublishAsync("push:all", new byte[1]));
        await two.SubscribeAsync("push:all", _ => { });
        Assert.Equal(2, await one.PublishAsync("push:all", new byte[1]));
        await one.UnsubscribeAsync("push:all");
        Assert.Equal(1, await one.PublishAsync("push:all", new byte[1]));
    }

    [Fact]
    public async Task Channels_that_look_like_patterns_are_literal()
    {
        await using var node = await TestBackplane.UpAsync(_server);
        string[] channels = ["push:room:*", "push:room:[a]", "push:room:h?llo", "push:room:a", "push:room:hello", "*", "push:*"];
        var received = new ConcurrentQueue<(string Channel, string Payload)>();
        foreach (var channel in channels)
            await node.SubscribeAsync(channel, payload => received.Enqueue((channel, Encoding.UTF8.GetString(payload.Span))));

        foreach (var channel in channels)
            Assert.Equal("1", await _server.CliAsync("PUBLISH", channel, channel));
        foreach (var channel in channels)
            Assert.Equal(1, await node.PublishAsync(channel, Encoding.UTF8.GetBytes(channel)));

        await Eventually.HoldsAsync(() => received.Count >= 2 * channels.Length, "each payload");
        Assert.All(received, pair => Assert.Equal(pair.Channel, pair.Payload));
        Assert.Equal(2 * channels.Length, received.Count);
        Assert.Equal("0", await _server.CliAsync("PUBSUB", "NUMPAT"));
    }

    [Fact]
    public async Task A_hundred_thousand_messages_arrive_in_order_one_call_at_a_time()
    {
        const int Messages = 100_000;
        await using var publisher = await TestBackplane.UpAsync(_server, "publisher");
        await using var node = await TestBackplane.UpAsync(_server, "node");
        var received = new ConcurrentQueue<int>();
        var inside = 0;
        var overlapped = false;
        await node.SubscribeAsync("push:room:order", payload =>
        {
            overlapped |= Interlocked.Increment(ref inside) != 1;
            received.Enqueue(int.Parse(payload.Span, CultureInfo.InvariantCulture));
            Interlocked.Decrement(ref inside);
        });
        // Callbacks of other channels run in between, as in a real node.
        await node.SubscribeAsync("push:room:other", _ => Thread.SpinWait(20));

        var pending = new Queue<Task<int?>>();
        for (var i = 0; i < Messages; i++)
        {
            pending.Enqueue(publisher.PublishAsync("push:room:order", Encoding.ASCII.GetBytes(i.ToString(CultureInfo.InvariantCulture))));
            if (i % 4 == 0)
                pending.Enqueue(publisher.PublishAsync("push:room:other", new byte[100]));
            while (pending.Count > 2_000)
                Assert.Equal(1, await pending.Dequeue());
        }

        foreach (var last in pending)
            Assert.Equal(1, await last);
        await Eventually.HoldsAsync(() => received.Count == Messages, "all messages");
        Assert.Equal(Enumerable.Range(0, Messages), received);
        Assert.False(overlapped);
    }

    [Fact]
    public async Task A_publisher_may_reuse_its_buffer()
    {
        await using var node = await TestBackplane.UpAsync(_server);
        var received = new ConcurrentQueue<byte>();
        await node.SubscribeAsync("push:all", payload => received.Enqueue(payload.Span[0]));
        var buffer = new byte[1];
        var publishing = new List<Task<int?>>();
        for (var i = 0; i < 200; i++)
        {
            buffer[0] = (byte)i;
            publishing.Add(node.PublishAsync("push:all", buffer));
        }

        await Task.WhenAll(publishing);
        await Eventually.HoldsAsync(() => received.Count == 200, "all payloads");
        Assert.Equal(Enumerable.Range(0, 200).Select(i => (byte)i), received);
    }

    [Fact]
    public async Task A_subscriber_that_throws_is_logged_and_gets_the_next_payload()
    {
        await using var node = await TestBackplane.UpAsync(_server);
        var calls = 0;
        await node.SubscribeAsync("push:all", _ =>
        {
            if (Interlocked.Increment(ref calls) == 1)
                throw new InvalidOperationException("a bug");
        });

        await node.PublishAsync("push:all", new byte[1]);
        await node.PublishAsync("push:all", new byte[1]);

        await Eventually.HoldsAsync(() => Volatile.Read(ref calls) == 2, "two calls");
        Assert.Equal(1, node.Log.Count(2004));
    }
}
