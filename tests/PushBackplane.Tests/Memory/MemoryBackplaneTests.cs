using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using PushBackplane.Memory;
using PushBackplane.Telemetry;

namespace PushBackplane.Tests.Memory;

public sealed class MemoryBackplaneTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().AddSingleton<BackplaneMetrics>().BuildServiceProvider();
    private readonly LogRecorder<MemoryBackplane> _log = new();
    private readonly MemoryBackplane _backplane;

    public MemoryBackplaneTests() => _backplane = new MemoryBackplane(
        new PushChannels("push:"), RoomPolicies.None, _services.GetRequiredService<BackplaneMetrics>(), new ManualTime(), _log);

    public void Dispose() => _services.Dispose();

    [Fact]
    public async Task Publishing_reaches_the_subscriber_from_subscribe_to_unsubscribe()
    {
        var received = new List<byte>();
        Assert.Equal(0, await _backplane.PublishAsync(Channel("a"), new byte[] { 1 }));
        await _backplane.SubscribeAsync(Channel("a"), payload => received.Add(payload.Span[0]), NoLoss);
        Assert.Equal(1, await _backplane.PublishAsync(Channel("a"), new byte[] { 2 }));
        Assert.Equal(0, await _backplane.PublishAsync(Channel("*"), new byte[] { 3 }));
        Assert.Equal(0, await _backplane.PublishAsync(Channel("A"), new byte[] { 3 }));
        await _backplane.UnsubscribeAsync(Channel("a"));
        Assert.Equal(0, await _backplane.PublishAsync(Channel("a"), new byte[] { 4 }));
        Assert.Equal([2], received);
    }

    [Fact]
    public async Task A_second_subscription_replaces_the_first()
    {
        int first = 0, second = 0;
        await _backplane.SubscribeAsync(Channel("a"), _ => first++, NoLoss);
        await _backplane.SubscribeAsync(Channel("a"), _ => second++, NoLoss);
        Assert.Equal(1, await _backplane.PublishAsync(Channel("a"), new byte[1]));
        Assert.Equal((0, 1), (first, second));
    }

    [Fact]
    public async Task A_subscribers_payload_survives_when_the_publisher_reuses_its_buffer()
    {
        ReadOnlyMemory<byte> kept = default;
        await _backplane.SubscribeAsync(Channel("a"), payload => kept = payload, NoLoss);
        byte[] buffer = [1];
        await _backplane.PublishAsync(Channel("a"), buffer);
        buffer[0] = 2;
        Assert.Equal(1, kept.Span[0]);
    }

    [Fact]
    public async Task Each_publishers_messages_stay_in_order_one_call_at_a_time()
    {
        const int Publishers = 4, Each = 20_000;
        var received = new List<(int Publisher, int Number)>();
        await _backplane.SubscribeAsync(Channel("a"), payload => received.Add((BitConverter.ToInt32(payload.Span), BitConverter.ToInt32(payload.Span[4..]))), NoLoss);

        await Task.WhenAll(Enumerable.Range(0, Publishers).Select(publisher => Task.Run(async () =>
        {
            for (var i = 0; i < Each; i++)
                await _backplane.PublishAsync(Channel("a"), (byte[])[.. BitConverter.GetBytes(publisher), .. BitConverter.GetBytes(i)]);
        })));

        for (var publisher = 0; publisher < Publishers; publisher++)
            Assert.Equal(Enumerable.Range(0, Each), received.Where(pair => pair.Publisher == publisher).Select(pair => pair.Number));
    }

    [Fact]
    public async Task A_subscription_under_traffic_gets_everything_published_after_it()
    {
        using var stop = new CancellationTokenSource();
        var traffic = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
                await _backplane.PublishAsync(Channel("a"), new byte[] { 0 });
        }, TestContext.Current.CancellationToken);
        for (var round = 0; round < 2_000; round++)
        {
            var received = new ConcurrentQueue<byte>();
            await _backplane.SubscribeAsync(Channel("a"), payload => received.Enqueue(payload.Span[0]), NoLoss);
            Assert.Equal(1, await _backplane.PublishAsync(Channel("a"), new byte[] { 1 }));
            Assert.Contains((byte)1, received);
            await _backplane.UnsubscribeAsync(Channel("a"));
        }

        await stop.CancelAsync();
        await traffic;
    }

    [Fact]
    public async Task A_subscriber_that_throws_does_not_affect_the_publisher()
    {
        var calls = 0;
        await _backplane.SubscribeAsync(Channel("a"), _ => throw new InvalidOperationException($"A bug of the test, {++calls}."), NoLoss);
        Assert.Equal(1, await _backplane.PublishAsync(Channel("a"), new byte[1]));
        Assert.Equal(1, await _backplane.PublishAsync(Channel("a"), new byte[1]));
        Assert.Equal(2, calls);
        // The second exception comes within ten seconds of the first: the clock stands still.
        Assert.Equal(1, _log.Count(2004));
    }

    [Fact]
    public void It_is_always_up()
    {
        Assert.True(_backplane.IsUp);
        Assert.False(_backplane.Away.IsCompleted);
        Assert.Equal("memory", _backplane.Description);
    }

    private BackplaneChannel Channel(string name) => new(name, _backplane);

    private static void NoLoss(IBackplaneServer server) => Assert.Fail("Memory is never away.");
}
