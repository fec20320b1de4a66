using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using TestSupport.Processes;

namespace PushBackplane.Tests.Redis;

/// <summary>A connection string with a master and its replica: a message published on the replica does not reach the master.</summary>
public sealed class ReplicaTests : IAsyncLifetime
{
    private RedisProcess _master = null!;
    private RedisProcess _replica = null!;

    public async ValueTask InitializeAsync()
    {
        _master = await RedisProcess.StartNewAsync("--repl-diskless-sync-delay", "0");
        _replica = await RedisProcess.StartNewAsync("--replicaof", "127.0.0.1", _master.Port.ToString(CultureInfo.InvariantCulture));
        await Eventually.HoldsAsync(async () => (await _replica.CliAsync("INFO", "replication")).Contains("master_link_status:up", StringComparison.Ordinal), "the replica is in sync");
    }

    public async ValueTask DisposeAsync()
    {
        await _replica.DisposeAsync();
        await _master.DisposeAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_stopped_replica_is_no_outage_and_a_stopped_master_is(bool masterFirst)
    {
        await using var node = await TestBackplane.StartAsync(masterFirst ? $"{_master.EndPoint},{_replica.EndPoint}" : $"{_replica.EndPoint},{_master.EndPoint}");
        await node.IsUpAsync();
        // On a busy machine the first attempt to connect may be late.
        var outages = node.Log.Count(2002);
        var received = 0;
        await node.SubscribeAsync("push:room:a", _ => Interlocked.Increment(ref received));

        await _replica.StopAsync();
        // More canaries than the library needs to notice and to react.
        for (var i = 1; i <= 3; i++)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
            Assert.Equal(1, await node.PublishAsync("push:room:a", new byte[1]));
            await Eventually.HoldsAsync(() => Volatile.Read(ref received) == i, "delivery");
        }

        Assert.Equal(outages, node.Log.Count(2002));
        Assert.Equal(0, node.Losses("push:room:a"));

        await _master.StopAsync();
        await Eventually.HoldsAsync(() => !node.Server.IsUp, "the outage is noticed");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Messages_arrive_whichever_address_is_listed_first(bool masterFirst)
    {
        // A master that is late on a busy machine would leave the library with the replica.
        const string Patient = ",connectTimeout=60000";
        var both = (masterFirst ? $"{_master.EndPoint},{_replica.EndPoint}" : $"{_replica.EndPoint},{_master.EndPoint}") + Patient;
        for (var round = 0; round < 5; round++)
        {
            await using var node = await TestBackplane.StartAsync(both);
            await using var other = await TestBackplane.StartAsync(both, "other");
            await node.IsUpAsync();
            await other.IsUpAsync();
            var received = new ConcurrentQueue<string>();
            await node.SubscribeAsync("push:room:a", payload => received.Enqueue(Encoding.UTF8.GetString(payload.Span)));

            for (var i = 0; i < 10; i++)
            {
                Assert.Equal(1, await other.PublishAsync("push:room:a", Encoding.UTF8.GetBytes($"other {i}")));
                Assert.Equal(1, await node.PublishAsync("push:room:a", Encoding.UTF8.GetBytes($"own {i}")));
            }

            Assert.Equal("1", await _master.CliAsync("PUBLISH", "push:room:a", "at the master"));
            await Eventually.HoldsAsync(() => received.Count == 21, "all messages");
            Assert.Equal([.. Enumerable.Range(0, 10).SelectMany(i => (string[])[$"other {i}", $"own {i}"]), "at the master"], received);
        }
    }
}
