using System.Globalization;
using System.Net;
using System.Text.Json;
using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>Who is online in a farm of three nodes, by what the API says.</summary>
public sealed class CountsTests(CountsFarm farm, ITestOutputHelper output) : IClassFixture<CountsFarm>
{
    [Fact]
    public async Task Counts_agree_with_the_truth_after_churn_and_after_a_node_dies()
    {
        var seed = Random.Shared.Next();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed {seed}"));
        var random = new Random(seed);
        await using var victim = await ProgramProcess.StartNodeAsync(farm.Redis);
        ProgramProcess[] nodes = [.. farm.Nodes, victim];
        string[] rooms = [.. Enumerable.Range(0, 8).Select(i => Room.New($"churn-{i}"))];
        var clients = new List<(WsClient Client, ProgramProcess Node, HashSet<string> Rooms)>();
        try
        {
            for (var step = 0; step < 400; step++)
            {
                if (clients.Count < 40)
                {
                    var node = nodes[random.Next(nodes.Length)];
                    clients.Add((await WsClient.ConnectAsync(node.NodePort), node, []));
                    continue;
                }

                var index = random.Next(clients.Count);
                var (client, _, joined) = clients[index];
                var room = rooms[random.Next(rooms.Length)];
                if (random.Next(10) == 0)
                {
                    client.Reset();
                    await client.DisposeAsync();
                    clients.RemoveAt(index);
                }
                else if (joined.Remove(room))
                {
                    await client.SendAsync(WsClient.LeaveText(room));
                    await client.NextAsync("LEFT");
                }
                else if (joined.Count < 5)
                {
                    await client.JoinAsync(room);
                    joined.Add(room);
                }
            }

            await BecomesTrueAsync(rooms, clients);
            victim.Signal(Signals.Kill);
            clients.RemoveAll(client => client.Node == victim);
            await BecomesTrueAsync(rooms, clients);
        }
        finally
        {
            foreach (var (client, _, _) in clients)
                await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_node_that_was_paused_longer_than_its_lease_counts_again()
    {
        var room = Room.New();
        await using var paused = await ProgramProcess.StartNodeAsync(farm.Redis);
        await using var client = await WsClient.ConnectAsync(paused.NodePort);
        await client.JoinAsync(room);
        await OnlineBecomesAsync(room, 1);
        paused.Signal(Signals.Stop);
        await OnlineBecomesAsync(room, 0);
        paused.Signal(Signals.Continue);
        await OnlineBecomesAsync(room, 1);
    }

    [Fact]
    public async Task A_node_that_stops_is_forgotten_at_once()
    {
        var room = Room.New();
        await using var leaving = await ProgramProcess.StartNodeAsync(farm.Redis, ("Push:Node", "leaving"));
        await using var client = await WsClient.ConnectAsync(leaving.NodePort);
        await client.JoinAsync(room);
        await OnlineBecomesAsync(room, 1);
        var id = (await GetAsync("/v1/nodes")).GetProperty("nodes").EnumerateArray().Single(node => node.GetProperty("node").GetString() == "leaving").GetProperty("id").GetString();
        await Eventually.HoldsAsync(async () => await farm.Redis.CliAsync("EXISTS", $"push:n:{id}") == "1", "the node's counts are kept");
        leaving.Signal(Signals.Terminate);
        Assert.Equal(0, await leaving.ExitAsync());
        Assert.Equal(("0", ""), (await farm.Redis.CliAsync("EXISTS", $"push:n:{id}"), await farm.Redis.CliAsync("ZSCORE", "push:nodes", id!)));
        await OnlineBecomesAsync(room, 0);
    }

    [Fact]
    public async Task Members_who_ask_are_told_the_number_of_the_whole_farm()
    {
        var room = Room.New();
        await using var silent = await WsClient.ConnectAsync(farm.Nodes[0].NodePort);
        await silent.JoinAsync(room);
        await OnlineBecomesAsync(room, 1);

        // The first who asks on a node waits for what other nodes have.
        await using var asking = await WsClient.ConnectAsync(farm.Nodes[1].NodePort);
        await asking.SendAsync($$$"""{"type":"JOIN","data":{"room":{{{WsClient.Quote(room)}}},"online":true}}""");
        Assert.Equal(2, Online(await asking.NextAsync("JOINED")));
        await OnlineBecomesAsync(room, 2);
        await using var sse = await StreamClient.ConnectAsync(farm.Nodes[0].NodePort, $"/sse?room={Uri.EscapeDataString(room)}&online=1");
        Assert.Equal(3, Online(await sse.NextAsync("JOINED")));

        // The change reaches the other node's members in a PUSH.
        int? told = null;
        while (told != 3)
        {
            await Http.PublishAsync(farm.Api, room, "1");
            told = Online(await asking.NextAsync("PUSH")) ?? told;
        }
    }

    [Fact]
    public async Task Rooms_are_listed_by_size_and_in_pages_by_name()
    {
        var prefix = Room.New("listed") + "-";
        await using var first = await WsClient.ConnectAsync(farm.Nodes[0].NodePort);
        await using var second = await WsClient.ConnectAsync(farm.Nodes[1].NodePort);
        foreach (var room in (string[])["a", "b", "房间", "d", "e"])
            await first.JoinAsync(prefix + room);
        await second.JoinAsync(prefix + "d");
        // The last that each node reports.
        await OnlineBecomesAsync(prefix + "d", 2);
        await OnlineBecomesAsync(prefix + "e", 1);
        var escaped = Uri.EscapeDataString(prefix);
        var top = await GetAsync($"/v1/rooms?top=2&prefix={escaped}");
        Assert.Equal([(prefix + "d", 2), (prefix + "a", 1)], Rooms(top));

        var names = new List<string>();
        for (var cursor = ""; cursor is not null;)
        {
            var page = await GetAsync($"/v1/rooms?limit=2&prefix={escaped}{(cursor.Length > 0 ? "&cursor=" + cursor : "")}");
            names.AddRange(Rooms(page).Select(room => room.Room[prefix.Length..]));
            cursor = page.TryGetProperty("next", out var next) ? next.GetString() : null;
        }

        Assert.Equal(["a", "b", "d", "e", "房间"], names);
    }

    private static int? Online(ServerMessage message) => message.Data.TryGetProperty("online", out var online) ? online.GetInt32() : null;

    private static IEnumerable<(string Room, int Online)> Rooms(JsonElement page) =>
        page.GetProperty("rooms").EnumerateArray().Select(room => (room.GetProperty("room").GetString()!, room.GetProperty("online").GetInt32()));

    private Task BecomesTrueAsync(string[] rooms, List<(WsClient Client, ProgramProcess Node, HashSet<string> Rooms)> clients) => Eventually.HoldsAsync(
        async () =>
        {
            foreach (var room in rooms)
            {
                var members = clients.Where(client => client.Rooms.Contains(room)).ToArray();
                var count = await GetAsync($"/v1/rooms/{Uri.EscapeDataString(room)}");
                if (count.GetProperty("online").GetInt32() != members.Length || count.GetProperty("nodes").GetInt32() != members.DistinctBy(member => member.Node).Count())
                    return false;
            }

            return true;
        },
        "the counts are the truth");

    private Task OnlineBecomesAsync(string room, int online) => Eventually.HoldsAsync(
        async () => (await GetAsync($"/v1/rooms/{Uri.EscapeDataString(room)}")).GetProperty("online").GetInt32() == online, $"{room} has {online} members");

    private async Task<JsonElement> GetAsync(string path)
    {
        var answer = await Http.GetAsync(farm.Api.ApiPort, path);
        Assert.True(answer.Status == HttpStatusCode.OK, $"{(int)answer.Status} {answer.Body}");
        return answer.JsonBody;
    }
}

/// <summary>Redis, an API and two nodes.</summary>
public sealed class CountsFarm : IAsyncLifetime
{
    private readonly List<IAsyncDisposable> _started = [];
    private string? _skipped;

    internal RedisProcess Redis { get => Started(field); private set; } = null!;

    internal ProgramProcess Api { get => Started(field); private set; } = null!;

    internal ProgramProcess[] Nodes { get => Started(field); private set; } = null!;

    public async ValueTask InitializeAsync() => _skipped = await InstalledProgram.SkippedAsync(async () =>
    {
        Redis = Add(await RedisProcess.StartNewAsync());
        Api = Add(await ProgramProcess.StartApiAsync(Redis));
        Nodes = [Add(await ProgramProcess.StartNodeAsync(Redis)), Add(await ProgramProcess.StartNodeAsync(Redis))];
    });

    public async ValueTask DisposeAsync()
    {
        foreach (var started in Enumerable.Reverse(_started))
            await started.DisposeAsync();
    }

    private T Add<T>(T started) where T : IAsyncDisposable
    {
        _started.Add(started);
        return started;
    }

    private T Started<T>(T part) where T : class
    {
        if (_skipped is not null)
            Assert.Skip(_skipped);
        return part;
    }
}
