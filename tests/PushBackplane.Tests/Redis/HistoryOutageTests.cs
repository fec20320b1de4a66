using PushBackplane.History;
using PushBackplane.Publishing;
using TestSupport.Processes;

namespace PushBackplane.Tests.Redis;

/// <summary>What docs/history.md promises when Redis fails, row by row, as a reader with a position sees it.</summary>
public sealed class HistoryOutageTests
{
    private static readonly string[] Persistent = ["--appendonly", "yes", "--appendfsync", "always"];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_restart_with_its_data_forks_and_nobody_misses_anything(bool isFunction)
    {
        await using var server = await RedisProcess.StartNewAsync(
            [.. Persistent, .. TestHistory.User, "--user", "old", "on", ">x", "~*", "&*", "+@all", "-fcall"]);
        await using var api = await TestHistory.UpAsync(isFunction ? server.EndPoint : $"{server.EndPoint},user=old,password=x");
        var before = await api.LastOfAsync("a", "b");
        Assert.Equal(AppendResult.Appended, (await api.OnceAsync("k", "c")).Result);
        await RestartAsync(server, api);

        Assert.Equal((AppendResult.Replayed, before with { Offset = 3 }), ((await api.OnceAsync("k", "c")) is var again ? (again.Result, again.Last) : default));
        var page = await api.ReadAsync(since: 2);
        Assert.NotEqual(before.Epoch, page.Lineage.Epoch);
        Assert.Equal([new Ancestor(before.Epoch, 3)], page.Lineage.Ancestors);
        Assert.Equal("3:c", TestHistory.Show(page));
        Assert.Equal(new Continuation(2, IsExact: true), page.Lineage.Locate(before, page.Last, page.Floor));
        Assert.Equal(new Position(page.Lineage.Epoch, 4), await api.LastOfAsync("d"));
        Assert.Equal("1:a,b 3:c 4:d", TestHistory.Show(await api.ReadAsync()));
    }

    [Fact]
    public async Task A_restart_without_its_data_begins_a_new_epoch()
    {
        await using var server = await RedisProcess.StartNewAsync();
        await using var api = await TestHistory.UpAsync(server.EndPoint);
        var before = await api.LastOfAsync("a", "b");
        await RestartAsync(server, api);
        await BeginsAnewAsync(api, before);
    }

    [Fact]
    public async Task FLUSHALL_begins_a_new_epoch()
    {
        await using var server = await RedisProcess.StartNewAsync();
        await using var api = await TestHistory.UpAsync(server.EndPoint);
        var before = await api.LastOfAsync("a", "b");
        Assert.Equal("OK", await server.CliAsync("FLUSHALL"));
        await BeginsAnewAsync(api, before);
    }

    [Fact]
    public async Task A_failover_that_loses_the_end_forks_where_both_still_agree()
    {
        await using var master = await RedisProcess.StartNewAsync("--repl-diskless-sync-delay", "0");
        await using var replica = await ReplicaOfAsync(master);
        await using var old = await TestHistory.UpAsync(master.EndPoint);
        var shared = await old.LastOfAsync("a", "b", "c");
        await InSyncAsync(master, replica);
        Assert.Equal("OK", await replica.CliAsync("REPLICAOF", "NO", "ONE"));
        // The replica misses this one, which members have heard.
        var lost = await old.LastOfAsync("lost");
        await master.StopAsync();

        await using var api = await TestHistory.UpAsync(replica.EndPoint);
        // As many as were lost: their numbers alone would not tell.
        var fresh = await api.LastOfAsync("d");
        Assert.Equal((lost.Offset, true), (fresh.Offset, lost.Epoch != fresh.Epoch));
        var page = await api.ReadAsync();
        Assert.Equal([new Ancestor(shared.Epoch, 3)], page.Lineage.Ancestors);
        Assert.Equal("1:a,b,c 4:d", TestHistory.Show(page));
        Assert.Equal(new Continuation(3, IsExact: true), page.Lineage.Locate(shared, page.Last, page.Floor));
        Assert.Equal(new Continuation(3, IsExact: false), page.Lineage.Locate(lost, page.Last, page.Floor));
    }

    [Fact]
    public async Task A_room_remembers_its_last_four_epochs()
    {
        await using var first = await RedisProcess.StartNewAsync("--repl-diskless-sync-delay", "0");
        await using var second = await ReplicaOfAsync(first);
        RedisProcess[] servers = [first, second];
        var epochs = new List<string>();
        for (var i = 0; i < 6; i++)
        {
            var (master, replica) = (servers[i % 2], servers[(i + 1) % 2]);
            await using (var api = await TestHistory.UpAsync(master.EndPoint))
                epochs.Insert(0, (await api.LastOfAsync($"{i}")).Epoch);
            await InSyncAsync(master, replica);
            Assert.Equal("OK", await replica.CliAsync("REPLICAOF", "NO", "ONE"));
            Assert.Equal("OK", await master.CliAsync("REPLICAOF", "127.0.0.1", $"{replica.Port}"));
            // What a second does: functions look at the life of their server once a second.
            Assert.Equal("OK", await replica.CliAsync("FUNCTION", "FLUSH"));
        }

        await using var last = await TestHistory.UpAsync(servers[0].EndPoint);
        var page = await last.ReadAsync();
        Assert.Equal(6, epochs.Distinct().Count());
        Assert.Equal([.. epochs.Take(4)], page.Lineage.Ancestors.Select(ancestor => ancestor.Epoch));
        Assert.Equal("1:0 2:1 3:2 4:3 5:4 6:5", TestHistory.Show(page));
        Assert.Equal([6L, 5, 4, 3], page.Lineage.Ancestors.Select(ancestor => ancestor.Shared));
    }

    [Fact]
    public async Task A_full_server_refuses_messages_and_is_still_read()
    {
        await using var server = await RedisProcess.StartNewAsync();
        await using var api = await TestHistory.UpAsync(server.EndPoint);
        await api.LastOfAsync("a");
        Assert.Equal("OK", await server.CliAsync("CONFIG", "SET", "maxmemory", "1"));

        Assert.Equal(new AppendOutcome(AppendResult.NotSent, Cause: "it refused FCALL (OOM)"), await api.AppendAsync("b"));
        Assert.Equal(AppendResult.NotSent, (await api.OnceAsync("k", "b")).Result);
        var publisher = new ChannelPublisher(api.Backplane.Backplane, api.Redis, new ManualTime());
        var outcome = await publisher.PublishAsync(Channel(api), [TestHistory.Bytes("b")], DateTimeOffset.UtcNow);
        Assert.Equal(new PublishOutcome(PublishResult.NotSent, Cause: "it refused FCALL (OOM)"), outcome);
        Assert.Equal("1:a", TestHistory.Show(await api.ReadAsync()));
        Assert.Equal(0, (await api.ReadAsync(room: "new")).Last);
        Assert.Equal(0, await api.Backplane.PublishAsync("push:room:r", "plain"u8.ToArray()));
        Assert.Equal(1, api.Log.Count(2022));

        Assert.Equal("OK", await server.CliAsync("CONFIG", "SET", "maxmemory", "0"));
        Assert.Equal(2, (await api.OnceAsync("k", "b")).Last!.Value.Offset);
    }

    [Fact]
    public async Task A_replica_refuses_messages_until_it_is_master()
    {
        await using var server = await RedisProcess.StartNewAsync();
        await using var api = await TestHistory.UpAsync(server.EndPoint);
        await api.LastOfAsync("a");
        Assert.Equal("OK", await server.CliAsync("REPLICAOF", "127.0.0.1", "1"));
        Assert.Equal(new AppendOutcome(AppendResult.NotSent, Cause: "it refused FCALL (READONLY)"), await api.AppendAsync("b"));
        Assert.Equal(default, await api.Redis.ReadAsync(new HistoryQuery(TestHistory.Room("r"), 0, 1)));
        Assert.Equal("OK", await server.CliAsync("REPLICAOF", "NO", "ONE"));
        Assert.Equal(2, (await api.LastOfAsync("b")).Offset);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Functions_or_scripts_that_Redis_has_forgotten_are_sent_again(bool isFunction)
    {
        await using var server = await RedisProcess.StartNewAsync("--user", "old", "on", ">x", "~*", "&*", "+@all", "-fcall");
        await using var api = await TestHistory.UpAsync(isFunction ? server.EndPoint : $"{server.EndPoint},user=old,password=x");
        var first = await api.LastOfAsync("a");
        for (var i = 2; i < 5; i++)
        {
            Assert.Equal("OK", await (isFunction ? server.CliAsync("FUNCTION", "FLUSH") : server.CliAsync("SCRIPT", "FLUSH")));
            var outcomes = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => api.LastOfAsync("x")));
            Assert.Equal(Enumerable.Range(2 + ((i - 2) * 20), 20).Select(offset => first with { Offset = offset }), outcomes.OrderBy(last => last.Offset));
        }
    }

    [Fact]
    public async Task The_library_is_loaded_again_when_the_server_comes_back_empty()
    {
        await using var server = await RedisProcess.StartNewAsync();
        await using var api = await TestHistory.UpAsync(server.EndPoint);
        await api.Redis.StartAsync(CancellationToken.None);
        for (var i = 0; i < 2; i++)
        {
            await Eventually.HoldsAsync(async () => (await server.CliAsync("FUNCTION", "LIST")).Contains("push_publish", StringComparison.Ordinal), "the library is loaded");
            await RestartAsync(server, api);
        }

        await api.Redis.StopAsync(CancellationToken.None);
    }

    [Theory]
    [InlineData("its ACL forbids the user a command, key or channel that the script of FCALL needs", "-xadd")]
    [InlineData("its ACL forbids the user a key that FCALL needs (NOPERM)", "resetkeys", "~push:h:*")]
    public async Task Without_a_right_messages_are_published_without_positions(string cause, params string[] rights)
    {
        await using var server = await RedisProcess.StartNewAsync(TestHistory.User);
        await using var api = await TestHistory.UpAsync($"{server.EndPoint},user=node,password=x");
        await api.LastOfAsync("a");
        Assert.Equal("OK", await server.CliAsync(["ACL", "SETUSER", "node", .. rights]));
        Assert.Equal(new AppendOutcome(AppendResult.Unsupported, Cause: cause), await api.AppendAsync("b"));
        var publisher = new ChannelPublisher(api.Backplane.Backplane, api.Redis, new ManualTime());
        Assert.Equal(PublishOutcome.Confirmed(0), await publisher.PublishAsync(Channel(api), [TestHistory.Bytes("b")], DateTimeOffset.UtcNow));
        Assert.Equal(1, api.Log.Count(2022));
        Assert.Equal("OK", await server.CliAsync("ACL", "SETUSER", "node", "~*", "+@all"));
        Assert.Equal("1:a 2:c", TestHistory.Show(await LaterAsync(api)));
    }

    [Fact]
    public async Task Without_the_right_to_the_channel_nobody_is_told_that_it_was_published()
    {
        await using var server = await RedisProcess.StartNewAsync(TestHistory.User);
        await using var api = await TestHistory.UpAsync($"{server.EndPoint},user=node,password=x");
        Assert.Equal("OK", await server.CliAsync("ACL", "SETUSER", "node", "resetchannels", "&push:canary:*"));
        var outcome = await api.AppendAsync("a");
        Assert.Equal((AppendResult.NotConfirmed, "its ACL forbids the user a command, key or channel that the script of FCALL needs"), (outcome.Result, outcome.Cause));
    }

    private static async Task<HistoryPage> LaterAsync(TestHistory api)
    {
        await api.LastOfAsync("c");
        return await api.ReadAsync();
    }

    private static BackplaneChannel Channel(TestHistory api) =>
        api.Backplane.Backplane.Channel(Topic.Room(TestHistory.Room("r"))) with { Kept = new KeptRoom(TestHistory.Room("r"), api.Limits) };

    private static async Task BeginsAnewAsync(TestHistory api, Position before)
    {
        var page = await api.ReadAsync();
        Assert.Equal((0L, 0L, 0, 0), (page.Last, page.Floor, page.Entries.Count, page.Lineage.Ancestors.Count));
        Assert.NotEqual(before.Epoch, page.Lineage.Epoch);
        Assert.Equal(new Continuation(0, IsExact: false), page.Lineage.Locate(before, page.Last, page.Floor));
        Assert.Equal(new Position(page.Lineage.Epoch, 1), await api.LastOfAsync("c"));
    }

    private static async Task RestartAsync(RedisProcess server, TestHistory api)
    {
        await server.StopAsync();
        await Eventually.HoldsAsync(() => !api.Backplane.Server.IsUp, "the outage is noticed");
        await server.StartAsync();
        await api.Backplane.IsUpAsync();
    }

    private static async Task<RedisProcess> ReplicaOfAsync(RedisProcess master)
    {
        var replica = await RedisProcess.StartNewAsync("--repl-diskless-sync-delay", "0", "--replicaof", "127.0.0.1", $"{master.Port}");
        await InSyncAsync(master, replica);
        return replica;
    }

    /// <summary>The replica has everything that the master has now.</summary>
    private static async Task InSyncAsync(RedisProcess master, RedisProcess replica)
    {
        var mark = Guid.NewGuid().ToString("N");
        await master.CliAsync("SET", "mark", mark);
        await Eventually.HoldsAsync(async () => await replica.CliAsync("GET", "mark") == mark, "the replica is in sync");
    }
}
