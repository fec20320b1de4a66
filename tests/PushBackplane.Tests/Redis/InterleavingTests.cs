using System.Collections.Concurrent;
using System.Globalization;
using TestSupport.Processes;

namespace PushBackplane.Tests.Redis;

public sealed class InterleavingTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int Threads = 4;
    private const int Channels = 6;

    private RedisProcess _server = null!;

    public async ValueTask InitializeAsync() => _server = await RedisProcess.StartNewAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData(200, 50, 0)]
    [InlineData(1, 20_000, 5)]
    public async Task The_last_call_for_a_channel_decides_in_any_interleaving(int rounds, int callsPerThread, int kills)
    {
        var seed = Random.Shared.Next();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed {seed}"));
        var seeds = new Random(seed);
        await using var node = await TestBackplane.UpAsync(_server);

        for (var round = 0; round < rounds; round++)
        {
            var channels = Enumerable.Range(0, Channels).Select(i => new Channel($"push:room:{round}:{i}", node)).ToArray();
            int[] threadSeeds = [.. Enumerable.Range(0, Threads).Select(_ => seeds.Next())];
            Task[] threads = [.. threadSeeds.Select(threadSeed => Task.Run(() =>
            {
                var random = new Random(threadSeed);
                for (var call = 0; call < callsPerThread; call++)
                {
                    var channel = channels[random.Next(Channels)];
                    if (random.Next(2) == 0)
                        channel.Subscribe();
                    else
                        channel.Unsubscribe();
                    if (random.Next(50) == 0)
                        Thread.Sleep(1);
                }
            }))];
            for (var kill = 0; kill < kills; kill++)
            {
                await _server.CliAsync("CLIENT", "KILL", "TYPE", kill % 2 == 0 ? "pubsub" : "normal");
                await Task.Delay(5, TestContext.Current.CancellationToken);
            }

            await Task.WhenAll(threads);
            foreach (var channel in channels)
                await channel.CheckAsync(_server);
        }
    }

    [Fact]
    public async Task Concurrent_calls_lose_no_subscription()
    {
        await using var node = await TestBackplane.UpAsync(_server);
        for (var round = 0; round < 100; round++)
        {
            var name = $"push:room:{round}";
            await Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => Task.Run(() =>
            {
                for (var call = 0; call < 20; call++)
                {
                    _ = node.SubscribeAsync(name, _ => { });
                    _ = node.UnsubscribeAsync(name);
                }
            })));
            var received = new TaskCompletionSource();
            await node.SubscribeAsync(name, _ => received.TrySetResult());
            Assert.Equal(1, await node.PublishAsync(name, new byte[1]));
            await received.Task;
        }
    }

    /// <summary>One channel. Its lock orders the calls and guards the last one, as in a node's room; no call is awaited under it.</summary>
    private sealed class Channel(string name, TestBackplane node)
    {
        private readonly Lock _lock = new();
        private readonly ConcurrentQueue<int> _received = new();
        private readonly List<(int Call, Task Subscribed)> _subscribes = [];
        private int _calls;
        private bool _wanted;

        public void Subscribe()
        {
            lock (_lock)
            {
                var call = ++_calls;
                _subscribes.Add((call, node.SubscribeAsync(name, _ => _received.Enqueue(call))));
                _wanted = true;
            }
        }

        public void Unsubscribe()
        {
            lock (_lock)
            {
                ++_calls;
                _ = node.UnsubscribeAsync(name);
                _wanted = false;
            }
        }

        public async Task CheckAsync(RedisProcess server)
        {
            foreach ((_, var subscribed) in _subscribes)
                await subscribed.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await node.IsUpAsync();
            // The loop above does not await unsubscriptions.
            await Eventually.HoldsAsync(async () => await server.CliAsync("PUBSUB", "CHANNELS", name) == (_wanted ? name : ""), $"{name} is {(_wanted ? "" : "not ")}subscribed");

            Assert.Empty(_received);
            if (!_wanted)
                return;

            (var last, var acknowledged) = _subscribes[^1];
            Assert.True(acknowledged.IsCompletedSuccessfully);
            await server.CliAsync("PUBLISH", name, "x");
            await Eventually.HoldsAsync(() => !_received.IsEmpty, "delivery");
            Assert.Equal([last], _received);
        }
    }
}
