using System.Globalization;
using PushBackplane.Counts;

namespace PushBackplane.Tests.Counts;

/// <summary>What both implementations of <see cref="IFarmCounts"/> promise.</summary>
public abstract class CountsContract(ITestOutputHelper output)
{
    private protected abstract Task<IFarmCounts> StartAsync();

    [Fact]
    public async Task A_room_counts_over_all_nodes()
    {
        var counts = await StartAsync();
        await new TestNode(counts, "a").ReportAsync([("demo", 3), ("other", 1)]);
        await new TestNode(counts, "b").ReportAsync([("demo", 4)]);
        Assert.Equal(new RoomCount(Names.Room("demo"), 7, default, 2), (await counts.RoomAsync(Names.Room("demo"))).Value);
        Assert.Equal(new RoomCount(Names.Room("other"), 1, default, 1), (await counts.RoomAsync(Names.Room("other"))).Value);
        Assert.Equal(new RoomCount(Names.Room("none"), 0, default, 0), (await counts.RoomAsync(Names.Room("none"))).Value);
    }

    [Fact]
    public async Task A_node_that_leaves_is_forgotten_at_once()
    {
        var counts = await StartAsync();
        var (a, b) = (new TestNode(counts, "a"), new TestNode(counts, "b"));
        await a.ReportAsync([("demo", 3)], [("alice", 2)]);
        await b.ReportAsync([("demo", 4)]);
        Assert.True(await counts.LeaveAsync(a.Id));
        Assert.Equal(4, (await counts.RoomAsync(Names.Room("demo"))).Value!.Online);
        Assert.Equal(0, (await counts.UserAsync(Names.User("alice"))).Value!.Connections);
        Assert.Equal(["b"], (await counts.NodesAsync(100, "")).Value!.Nodes.Select(node => node.Node));
        Assert.Equal(ReportResult.Lost, (await a.TryReportAsync([("demo", 3)])).Result);
    }

    [Fact]
    public async Task A_report_that_arrives_late_changes_nothing()
    {
        var counts = await StartAsync();
        var node = new TestNode(counts, "a");
        await node.ReportAsync([("demo", 3)]);
        var late = node.Next([("demo", 99)]);
        await node.ReportAsync([("demo", 4)]);
        Assert.Equal(ReportResult.Stale, (await counts.ReportAsync(late)).Result);
        Assert.Equal(4, (await counts.RoomAsync(Names.Room("demo"))).Value!.Online);
    }

    [Fact]
    public async Task A_node_that_begins_again_replaces_what_it_reported()
    {
        var counts = await StartAsync();
        var node = new TestNode(counts, "a");
        await node.ReportAsync([("old", 3), ("demo", 1)], [("alice", 1)]);
        await node.ReportAsync([("demo", 2)], first: true);
        Assert.Equal(0, (await counts.RoomAsync(Names.Room("old"))).Value!.Online);
        Assert.Equal(2, (await counts.RoomAsync(Names.Room("demo"))).Value!.Online);
        Assert.Equal(0, (await counts.UserAsync(Names.User("alice"))).Value!.Connections);
    }

    [Fact]
    public async Task A_report_tells_what_it_changed_for_the_farm_if_it_asks()
    {
        var counts = await StartAsync();
        var (a, b) = (new TestNode(counts, "a"), new TestNode(counts, "b"));
        var first = await a.ReportAsync([("r", 1), ("s", 1)], [("alice", 1)], asks: true);
        Assert.Equal("+r +s +alice", Texts(first));
        Assert.Equal("", Texts(await b.ReportAsync([("r", 5)], [("alice", 1)], asks: true)));
        Assert.Equal("-s", Texts(await a.ReportAsync([("r", 0), ("s", 0)], [("alice", 0)], asks: true)));
        Assert.Equal("-r -alice", Texts(await b.ReportAsync([("r", 0)], [("alice", 0)], asks: true)));
        Assert.Equal("", Texts(await a.ReportAsync([("r", 1)])));
    }

    [Fact]
    public async Task Members_elsewhere_leave_out_the_node_that_asks()
    {
        var counts = await StartAsync();
        var (a, b, c) = (new TestNode(counts, "a"), new TestNode(counts, "b"), new TestNode(counts, "c"));
        await a.ReportAsync([("r", 1), ("s", 2)]);
        await b.ReportAsync([("r", 10)]);
        await c.ReportAsync([("r", 100), ("s", 200)]);
        Assert.Equal([110, 200, 0], (await counts.ElsewhereAsync(a.Id, [Names.Room("r"), Names.Room("s"), Names.Room("t")])).Value!);
        Assert.Empty((await counts.ElsewhereAsync(a.Id, [])).Value!);
    }

    [Fact]
    public async Task Pages_by_name_have_each_room_once_in_the_order_of_bytes()
    {
        var counts = await StartAsync();
        // U+FF21 is before a surrogate pair in bytes, and behind it in UTF-16; é and e differ by locale.
        string[] names = [.. Enumerable.Range(0, 250).Select(i => $"r{i:000}"), "R", "é", "e", "z", "Ａ", "\U00020000", "\U00020001", "a b", "a\"b", "房间"];
        var (a, b) = (new TestNode(counts, "a"), new TestNode(counts, "b"));
        await a.ReportAsync([.. names.Select(name => (name, 1))]);
        await b.ReportAsync([.. names.Where((_, i) => i % 2 == 0).Select(name => (name, 1))]);
        var ordered = names.OrderBy(name => name, Utf8Order.Comparer).ToArray();
        Assert.Equal(ordered, (await AllAsync(counts, "")).Select(room => room.Room.ToString()));
        Assert.Equal(ordered.Where(name => name.StartsWith("r0", StringComparison.Ordinal)), (await AllAsync(counts, "r0")).Select(room => room.Room.ToString()));
        Assert.Equal(names.Length + names.Length / 2, (await AllAsync(counts, "")).Sum(room => room.Online));
        Assert.Empty(await AllAsync(counts, "nothing"));
    }

    [Fact]
    public async Task The_largest_rooms_are_found_although_each_node_lists_only_its_own()
    {
        var counts = await StartAsync();
        var (a, b) = (new TestNode(counts, "a"), new TestNode(counts, "b"));
        // Neither node has "even" among its largest three.
        await a.ReportAsync([("a1", 50), ("a2", 40), ("a3", 30), ("even", 28)]);
        await b.ReportAsync([("b1", 49), ("b2", 39), ("b3", 29), ("even", 27)]);
        var page = (await counts.LargestAsync(3, "")).Value!;
        Assert.Equal([("even", 55L, 2), ("a1", 50, 1), ("b1", 49, 1)], page.Rooms.Select(room => (room.Room.ToString(), room.Online, room.Nodes)));
        Assert.False(page.IsApproximate);
        Assert.Equal(["a1", "a2", "a3"], (await counts.LargestAsync(10, "a")).Value!.Rooms.Select(room => room.Room.ToString()));
        Assert.Empty((await counts.LargestAsync(3, "c")).Value!.Rooms);
    }

    [Fact]
    public async Task Users_on_several_nodes_count_once()
    {
        var counts = await StartAsync();
        var (a, b) = (new TestNode(counts, "a"), new TestNode(counts, "b"));
        await a.ReportAsync([("demo", 3)], [("alice", 1), ("bob", 2)], sketch: Names.Sketch("alice", "bob"));
        await b.ReportAsync([("demo", 2)], [("alice", 2)], sketch: Names.Sketch("alice", "carol"));
        Assert.Equal(new DistinctUsers(3, false), (await counts.RoomAsync(Names.Room("demo"))).Value!.Users);
        Assert.Equal(new UserCount(Names.User("alice"), 3, 2), (await counts.UserAsync(Names.User("alice"))).Value);
        Assert.Equal(new DistinctUsers(3, false), (await counts.FarmAsync()).Value!.Users);

        // Unchanged users stay, and none is none.
        await a.ReportAsync([("demo", 4)]);
        Assert.Equal(3, (await counts.RoomAsync(Names.Room("demo"))).Value!.Users.Count);
        await a.ReportAsync([("demo", 4)], sketch: UserSketch.Empty);
        Assert.Equal(2, (await counts.RoomAsync(Names.Room("demo"))).Value!.Users.Count);
    }

    [Fact]
    public async Task Nodes_are_listed_in_pages_with_their_totals()
    {
        var counts = await StartAsync();
        var totals = new NodeTotals { Started = 1, Connections = 5, Deliveries = 123_456_789_012_345, Rooms = 2 };
        var nodes = Enumerable.Range(0, 7).Select(i => new TestNode(counts, $"node \"{i}\" é") { Totals = totals }).ToArray();
        foreach (var node in nodes)
            await node.ReportAsync([]);
        var listed = new List<NodeCount>();
        for (var after = ""; after is not null;)
        {
            var page = (await counts.NodesAsync(3, after)).Value!;
            listed.AddRange(page.Nodes);
            after = page.Next;
        }

        Assert.Equal(nodes.OrderBy(node => node.Id, StringComparer.Ordinal).Select(node => new NodeCount(node.Id, node.Name, totals)), listed);
        var farm = (await counts.FarmAsync()).Value!;
        Assert.Equal((7, 35L, 7 * 123_456_789_012_345L, 0L), (farm.Nodes, farm.Totals.Connections, farm.Totals.Deliveries, farm.Totals.Started));
    }

    [Fact]
    public async Task Random_changes_of_three_nodes_always_add_up()
    {
        var seed = Random.Shared.Next();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed {seed}"));
        var random = new Random(seed);
        var counts = await StartAsync();
        string[] rooms = [.. Enumerable.Range(0, 40).Select(i => $"room {i}")];
        var nodes = Enumerable.Range(0, 3).Select(i => (Node: new TestNode(counts, $"n{i}"), Members: new Dictionary<string, int>())).ToArray();
        for (var step = 0; step < 60; step++)
        {
            var (node, members) = nodes[random.Next(3)];
            var first = random.Next(10) == 0;
            var changed = Enumerable.Range(0, random.Next(10)).Select(_ => (Room: rooms[random.Next(rooms.Length)], Online: random.Next(3) * random.Next(100)))
                .DistinctBy(change => change.Room).ToArray();
            if (first)
                members.Clear();
            await node.ReportAsync(changed, first: first ? true : null);
            foreach (var (room, online) in changed)
                members[room] = online;

            var truth = rooms.ToDictionary(room => room, room => (Online: nodes.Sum(one => one.Members.GetValueOrDefault(room)), Nodes: nodes.Count(one => one.Members.GetValueOrDefault(room) > 0)));
            var listed = await AllAsync(counts, "");
            Assert.Equal(
                truth.Where(room => room.Value.Online > 0).Select(room => (room.Key, (long)room.Value.Online, room.Value.Nodes)).OrderBy(room => room.Key, StringComparer.Ordinal),
                listed.Select(room => (room.Room.ToString(), room.Online, room.Nodes)));
            var top = (await counts.LargestAsync(5, "")).Value!;
            Assert.Equal(truth.Values.Where(room => room.Online > 0).Select(room => (long)room.Online).OrderDescending().Take(5), top.Rooms.Select(room => room.Online));
        }
    }

    private static string Texts(FarmChanges changes) => string.Join(' ', (string[])
    [
        .. changes.Occupied.Select(room => $"+{room}"), .. changes.Vacated.Select(room => $"-{room}"),
        .. changes.Online.Select(user => $"+{user}"), .. changes.Offline.Select(user => $"-{user}"),
    ]);

    private static async Task<List<ListedRoom>> AllAsync(IFarmCounts counts, string prefix)
    {
        var all = new List<ListedRoom>();
        for (var after = ""; after is not null;)
        {
            var page = (await counts.RoomsAsync(100, prefix, after)).Value!;
            all.AddRange(page.Rooms);
            after = page.Next;
        }

        return all;
    }
}
