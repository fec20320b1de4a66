using System.Collections.Concurrent;
using System.Globalization;
using TestSupport.Processes;

namespace PushBackplane.Tests.Redis;

public sealed class GatherTests : IAsyncLifetime
{
    private const int Messages = 20_000;

    private RedisProcess _server = null!;

    public async ValueTask InitializeAsync() => _server = await RedisProcess.StartNewAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    /// <summary>All messages at once, a steady rate, and bursts with pauses longer than twice the gather time.</summary>
    [Theory]
    [InlineData("00:00:00", 20_000, 0)]
    [InlineData("00:00:00", 40, 1)]
    [InlineData("00:00:00", 1_000, 60)]
    [InlineData(null, 20_000, 0)]
    [InlineData(null, 40, 1)]
    [InlineData(null, 1_000, 60)]
    [InlineData("00:00:01", 5_000, 100)]
    public async Task All_messages_arrive_in_order_at_any_pace_and_gather_time(string? gather, int group, int pause)
    {
        var settings = new BackplaneSettings { PublishTimeout = TestBackplane.Patience, CanaryTimeout = TestBackplane.Patience };
        if (gather is not null)
            settings.Gather = TimeSpan.Parse(gather, CultureInfo.InvariantCulture);
        await using var publisher = await TestBackplane.UpAsync(_server, "publisher");
        await using var node = await TestBackplane.UpAsync(_server, "node", settings);
        var received = new ConcurrentQueue<int>();
        await node.SubscribeAsync("push:room:a", payload => received.Enqueue(BitConverter.ToInt32(payload.Span)));

        for (var first = 0; first < Messages; first += group)
        {
            var reached = await Task.WhenAll(Enumerable.Range(first, group).Select(i => publisher.PublishAsync("push:room:a", BitConverter.GetBytes(i))));
            Assert.All(reached, count => Assert.Equal(1, count));
            // This delay shapes the load; the test does not rely on it.
            if (pause > 0)
                await Task.Delay(pause, TestContext.Current.CancellationToken);
        }

        await Eventually.HoldsAsync(() => received.Count == Messages, "all messages");
        Assert.Equal(Enumerable.Range(0, Messages), received);
        Assert.Equal(0, node.Losses("push:room:a"));
    }
}
