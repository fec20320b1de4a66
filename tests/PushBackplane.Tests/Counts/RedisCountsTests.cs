using System.Globalization;
using PushBackplane.Counts;
using PushBackplane.Tests.Redis;
using TestSupport.Processes;

namespace PushBackplane.Tests.Counts;

/// <summary>Counts on a real Redis, with the publisher of StackExchange.Redis.</summary>
public sealed class RedisCountsTests(ITestOutputHelper output) : CountsContract(output), IAsyncLifetime
{
    private RedisProcess _server = null!;
    private TestBackplane _backplane = null!;
    private RedisFarmCounts _counts = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await RedisProcess.StartNewAsync();
        _backplane = await TestBackplane.UpAsync(_server);
        // A busy machine must not end a lease.
        _counts = WithLease(TimeSpan.FromMinutes(10));
    }

    public async ValueTask DisposeAsync()
    {
        await _backplane.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_node_has_its_own_keys_which_end_with_its_lease()
    {
        var lease = TimeSpan.FromMinutes(10);
        var node = new TestNode(_counts, "a");
        await node.ReportAsync([("demo", 3)], [("alice", 1)], Names.Sketch("alice"));
        var own = $"push:n:{node.Id}";
        string[] keys = [own, own + ":names", own + ":rooms", own + ":sketches", own + ":users", "push:nodes"];
        Assert.Equal(keys, (await _server.CliAsync("KEYS", "*")).Split('\n').Order(StringComparer.Ordinal));
        // By the lease's own clock, which is Redis's.
        foreach (var key in keys[..5])
            Assert.InRange(long.Parse(await _server.CliAsync("PTTL", key), CultureInfo.InvariantCulture), 1, (long)lease.TotalMilliseconds);
    }

    [Fact]
    public async Task A_node_without_a_report_is_forgotten_at_the_end_of_its_lease()
    {
        var node = new TestNode(WithLease(TimeSpan.FromMilliseconds(500)), "a");
        await node.ReportAsync([("demo", 3)]);
        await Eventually.HoldsAsync(async () => await _server.CliAsync("KEYS", "push:n:*") == "", "the lease has ended");
        Assert.Empty((await _counts.NodesAsync(100, "")).Value!.Nodes);
        Assert.Equal(0, (await _counts.RoomAsync(Names.Room("demo"))).Value!.Online);
        Assert.Equal(ReportResult.Lost, (await node.TryReportAsync([("demo", 3)])).Result);
    }

    /// <summary>With the second for which the API keeps an answer, a dead node is forgotten within 5 s.</summary>
    [Fact]
    public void The_lease_leaves_time_for_two_lost_reports_and_is_over_in_time() => Assert.InRange(IFarmCounts.Lease.TotalSeconds, 3, 4);

    [Theory]
    [InlineData(":rooms")]
    [InlineData(":names")]
    [InlineData(":users")]
    [InlineData("")]
    public async Task A_node_begins_again_when_one_of_its_keys_is_gone(string key)
    {
        var node = new TestNode(_counts, "a");
        await node.ReportAsync([("demo", 3), ("b", 1)], [("alice", 1)]);
        Assert.Equal("1", await _server.CliAsync("DEL", $"push:n:{node.Id}{key}"));
        Assert.Equal(ReportResult.Lost, (await node.TryReportAsync([("c", 1)])).Result);
        await node.ReportAsync([("demo", 3)], [("alice", 1)], first: true);
        Assert.Equal(3, (await _counts.RoomAsync(Names.Room("demo"))).Value!.Online);
    }

    [Fact]
    public async Task A_server_that_restarted_empty_asks_each_node_to_begin_again()
    {
        var node = new TestNode(_counts, "a");
        await node.ReportAsync([("demo", 3)]);
        await _server.StopAsync();
        await Eventually.HoldsAsync(() => !_backplane.Server.IsUp, "the outage is noticed");
        Assert.Equal(ReportResult.Failed, (await node.TryReportAsync([("demo", 3)])).Result);
        Assert.False((await _counts.RoomAsync(Names.Room("demo"))).IsKnown);
        await _server.StartAsync();
        await _backplane.IsUpAsync();
        Assert.Equal(ReportResult.Lost, (await node.TryReportAsync([("demo", 3)])).Result);
        await node.ReportAsync([("demo", 3)], first: true);
        Assert.Equal(3, (await _counts.RoomAsync(Names.Room("demo"))).Value!.Online);
    }

    [Fact]
    public async Task Whatever_somebody_writes_to_the_keys_is_read_without_an_error()
    {
        var (node, other) = (new TestNode(_counts, "a"), new TestNode(_counts, "b"));
        await node.ReportAsync([("demo", 3)], [("alice", 1)], Names.Sketch("alice"));
        await other.ReportAsync([("demo", 4)]);
        var own = $"push:n:{other.Id}";
        foreach (var (score, member) in ((string, string)[])[("inf", "demo"), ("-inf", "x"), ("1e300", "big"), ("0.5", "half"), ("7", new string('y', 5000)), ("7", "a/b"), ("7", "\u0001")])
            await _server.CliAsync("ZADD", own + ":rooms", score, member);
        foreach (var member in (string[])["", "demo", "a/b", new string('y', 5000), "\u0001", "x"])
            await _server.CliAsync("ZADD", own + ":names", "0", member);
        foreach (var value in (string[])["nan", "inf", "-1", "0x1p5000", "1e999", new string('9', 300), "", "abc"])
        {
            await _server.CliAsync("HSET", own, "connections", value, "started", value, "node", new string('n', 500) + "\u0001", "sketch", value);
            await _server.CliAsync("HSET", own + ":users", "alice", value);
            await _server.CliAsync("HSET", own + ":sketches", "demo", $"{value}:abcdefg123");
            await ReadEverythingAsync();
        }

        await _server.CliAsync("ZADD", "push:nodes", "inf", "", "inf", new string('z', 1000), "inf", "strange\u0001", "nan", "n", "inf", "a:rooms");
        await ReadEverythingAsync();
        foreach (var key in (string[])["", ":rooms", ":names", ":users", ":sketches"])
        {
            await _server.CliAsync("SET", own + key, "a string");
            await ReadEverythingAsync();
        }

        await _server.CliAsync("SET", "push:nodes", "a string");
        await ReadEverythingAsync();

        // A node that is refused begins again, which repairs its keys.
        Assert.NotEqual(ReportResult.Kept, (await other.TryReportAsync([("demo", 5)])).Result);
        await other.ReportAsync([("demo", 5)], first: true);
        await node.ReportAsync([("demo", 3)], first: true);
        Assert.Equal(8, (await _counts.RoomAsync(Names.Room("demo"))).Value!.Online);
    }

    [Fact]
    public async Task More_nodes_than_are_read_and_full_pages_fit_into_an_answer()
    {
        var until = DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
        string[] ids = [.. Enumerable.Range(0, IFarmCounts.MaxNodes + 50).Select(i => $"id{i:0000}")];
        foreach (var some in ids.Chunk(100))
            await _server.CliAsync(["ZADD", "push:nodes", .. some.SelectMany(id => (string[])[until, id])]);
        // The longest names, of which JSON doubles each character.
        string[] rooms = [.. Enumerable.Range(0, 150).Select(i => $"{i:000}{new string('"', 125)}")];
        foreach (var id in ids[..20])
        {
            await _server.CliAsync(["ZADD", $"push:n:{id}:rooms", .. rooms.SelectMany(room => (string[])["5", room])]);
            await _server.CliAsync(["ZADD", $"push:n:{id}:names", .. rooms.SelectMany(room => (string[])["0", room])]);
        }

        foreach (var id in ids)
            await _server.CliAsync("HSET", $"push:n:{id}", "node", new string('"', 128), "connections", "1");
        Assert.Equal(100, (await _counts.RoomsAsync(100, "", "")).Value!.Rooms.Count);
        Assert.Equal(100, (await _counts.LargestAsync(100, "")).Value!.Rooms.Count);
        Assert.Equal(100, (await _counts.NodesAsync(100, "")).Value!.Nodes.Count);
        Assert.Equal(IFarmCounts.MaxNodes, (await _counts.FarmAsync()).Value!.Nodes);
    }

    [Fact]
    public async Task A_missing_right_is_named()
    {
        Assert.Equal("OK", await _server.CliAsync("ACL", "SETUSER", "default", "-zadd"));
        var node = new TestNode(_counts, "a");
        var outcome = await node.TryReportAsync([("demo", 3)]);
        Assert.Equal((ReportResult.Failed, "its ACL forbids the user a command, key or channel that the script of EVAL needs"), (outcome.Result, outcome.Cause));
        Assert.Equal("OK", await _server.CliAsync("ACL", "SETUSER", "default", "+@all", "resetkeys", "~other:*"));
        var read = await _counts.RoomAsync(Names.Room("demo"));
        Assert.Equal((null, "its ACL forbids the user a key that EVAL needs (NOPERM)"), (read.Value, read.Cause));
    }

    private protected override async Task<IFarmCounts> StartAsync()
    {
        await _server.CliAsync("FLUSHALL");
        return _counts;
    }

    private RedisFarmCounts WithLease(TimeSpan lease) => new(_backplane.Server, new PushChannels("push:"), lease);

    private async Task ReadEverythingAsync()
    {
        var room = (await _counts.RoomAsync(Names.Room("demo"))).Value!;
        Assert.InRange(room.Online, 0, long.MaxValue / 2);
        Assert.True((await _counts.LargestAsync(10, "")).IsKnown);
        Assert.True((await _counts.LargestAsync(10, "d")).IsKnown);
        Assert.True((await _counts.RoomsAsync(10, "", "")).IsKnown);
        Assert.InRange((await _counts.UserAsync(Names.User("alice"))).Value!.Connections, 0, long.MaxValue / 2);
        Assert.True((await _counts.NodesAsync(10, "")).IsKnown);
        Assert.InRange((await _counts.FarmAsync()).Value!.Totals.Connections, 0, long.MaxValue / 2);
        Assert.True((await _counts.ElsewhereAsync("me", [Names.Room("demo")])).IsKnown);
    }
}
