using System.Net;
using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>A farm whose rooms are spread over several Redis servers.</summary>
public sealed class ServersTests(ITestOutputHelper output)
{
    private static readonly (string, string) ShortWindow = ("Push:Merge:Window", "00:00:00.2");

    [Fact]
    public async Task Messages_reach_members_over_every_server()
    {
        await using var redis = await RedisServers.StartNewAsync(3);
        await using var api = await ProgramProcess.StartApiAsync(redis.Settings(3));
        await using var first = await ProgramProcess.StartNodeAsync([ShortWindow, .. redis.Settings(3)]);
        await using var second = await ProgramProcess.StartNodeAsync([ShortWindow, .. redis.Settings(3)]);
        for (var home = 0; home < 3; home++)
        {
            var room = RedisServers.RoomAt(home, 3);
            await using var here = await WsClient.ConnectAsync(first.NodePort);
            await here.JoinAsync(room);
            await using var there = await WsClient.ConnectAsync(second.NodePort);
            await there.JoinAsync(room);

            Assert.Equal(2, (await Http.PublishAsync(api, room, "\"api\"")).GetProperty("nodes").GetInt32());
            for (var server = 0; server < 3; server++)
                Assert.Equal("2", await redis[server].CliAsync("PUBLISH", Room.Channel(room), $"cli {server}"));
            string[] expected = ["\"api\"", "\"cli 0\"", "\"cli 1\"", "\"cli 2\""];
            Assert.Equal(expected, (await here.NextItemsAsync(room, 4)).Order(StringComparer.Ordinal));
            Assert.Equal(expected, (await there.NextItemsAsync(room, 4)).Order(StringComparer.Ordinal));

            var broadcast = await Http.PostAsync(api.ApiPort, "/v1/broadcast", Http.Json, "\"all\"");
            Assert.Equal(2, broadcast.JsonBody.GetProperty("nodes").GetInt32());
            Assert.Equal(["\"all\""], await here.NextItemsAsync(null, 1));
            Assert.Equal(["\"all\""], await there.NextItemsAsync(null, 1));
        }

        foreach (var program in (ProgramProcess[])[api, first, second])
        {
            Assert.Equal("ready", (await Http.GetAsync(program.ManagementPort, "/readyz")).Body);
            var metrics = await Metrics.ScrapeAsync(program);
            foreach (var name in (string[])["push_backplane_up", "push_backplane_reconnects_total", "push_backplane_lateness_seconds", "push_backplane_roundtrip_seconds_count"])
                Assert.Equal(Enumerable.Range(0, 3).Select(i => name + redis.Label(i)).Order(StringComparer.Ordinal), metrics.Of(name).Select(series => series.Key).Order(StringComparer.Ordinal));
        }
    }

    [Theory]
    [InlineData("killed and restarted")]
    [InlineData("stalled and resumed")]
    public async Task Only_the_rooms_of_a_server_are_affected_when_it_is(string how)
    {
        const int Away = 1;
        var killed = how.StartsWith("killed", StringComparison.Ordinal);
        await using var redis = await RedisServers.StartNewAsync(3);
        // A stall is noticed, but not one of some seconds, as a busy machine makes them.
        var canary = ("Backplane:CanaryTimeout", "00:00:15");
        await using var api = await ProgramProcess.StartApiAsync([canary, .. redis.Settings(3)]);
        await using var node = await ProgramProcess.StartNodeAsync([ShortWindow, canary, .. redis.Settings(3)]);
        string[] rooms = [.. Enumerable.Range(0, 3).Select(home => RedisServers.RoomAt(home, 3))];
        var witnesses = new List<(WsClient Client, OutageWitness Seen, int Home)>();
        for (var i = 0; i < 30; i++)
        {
            var seen = new OutageWitness(rooms[i % 3]);
            witnesses.Add((await WsClient.ConnectAsync(node.NodePort, $"/ws?room={rooms[i % 3]}", new WsOptions { OnMessage = seen.Take }), seen, i % 3));
        }

        await using var asking = await WsClient.ConnectAsync(node.NodePort);
        RoomLoad[] loads = [.. rooms.Select(room => new RoomLoad(room, () => api.ApiPort))];
        await Eventually.HoldsAsync(() => witnesses.All(witness => loads[witness.Home].HasAccepted(witness.Seen.Saw)), "everybody receives", () => node.Log);

        if (killed)
            await redis[Away].StopAsync();
        else
            redis[Away].Suspend();
        await Eventually.HoldsAsync(() => loads[Away].Refused.Count >= 3, "the API answers 503 for the server's room", () => api.Log);
        foreach (var program in (ProgramProcess[])[node, api])
        {
            await Eventually.HoldsAsync(async () => (await Http.GetAsync(program.ManagementPort, "/readyz")).Body != "ready", "readiness has a detail");
            var readiness = await Http.GetAsync(program.ManagementPort, "/readyz");
            Assert.Equal((HttpStatusCode.OK, $"ready\nRedis at {redis[Away].EndPoint} does not answer."), (readiness.Status, readiness.Body));
            await Metrics.UntilAsync(
                program, metrics => Enumerable.Range(0, 3).Select(server => metrics["push_backplane_up" + redis.Label(server)]).SequenceEqual([1, 0, 1]), "the metrics agree");
        }

        // A JOIN waits for its own server only.
        await asking.JoinAsync(RedisServers.RoomAt(0, 3));
        var waiting = RedisServers.RoomAt(Away, 3);
        await asking.SendAsync(WsClient.JoinText(waiting));
        Assert.Equal("backplane_away", (await asking.NextAsync("ERROR")).Code);
        await asking.PingAsync();
        await PublishesWholeOrNotAtAllAsync(api, asking, redis[Away]);
        // Rooms of the other servers are unaffected.
        foreach (var home in (int[])[0, 2])
        {
            var last = loads[home].Accepted.Max();
            await Eventually.HoldsAsync(() => loads[home].HasAccepted(number => number > last + 20), "other rooms go on", () => api.Log);
        }

        if (killed)
            await redis[Away].StartAsync();
        else
            redis[Away].Resume();
        await Eventually.HoldsAsync(async () => (await Http.GetAsync(node.ManagementPort, "/readyz")).Body == "ready", "all servers are up", () => node.Log);
        await Eventually.HoldsAsync(async () => (await Http.GetAsync(api.ManagementPort, "/readyz")).Body == "ready", "all servers are up", () => api.Log);
        while (await asking.NextAsync() is { Type: not "JOINED" } message)
            Assert.Equal("GAP", message.Type);
        await Http.PublishAsync(api, waiting, "1");
        while (await asking.NextAsync() is { Type: not "PUSH" } message)
            Assert.Equal("GAP", message.Type);

        const int Marker = 1_000_000;
        for (var home = 0; home < 3; home++)
        {
            await loads[home].StopAsync();
            await Http.PublishAsync(api, rooms[home], $$"""{"n":{{Marker}}}""");
            loads[home].Add(Marker);
        }

        await Eventually.HoldsAsync(() => witnesses.All(witness => witness.Seen.Saw(Marker) || witness.Client.Ended.IsCompleted), "messages flow everywhere", () => node.Log);
        foreach (var (client, seen, home) in witnesses)
        {
            Assert.False(client.Ended.IsCompleted, "disconnected");
            // Every client gets one GAP, because any message to the server's rooms may be lost.
            Assert.Null(seen.Fault(loads[home].Accepted, gaps: 1));
            if (home != Away)
                Assert.Empty(seen.NotSeenOnce(loads[home].Accepted));
            await client.DisposeAsync();
        }

        Assert.Empty(loads[0].Refused);
        Assert.Empty(loads[2].Refused);
        Assert.All(loads[Away].Refused, answer =>
        {
            Assert.Equal((HttpStatusCode.ServiceUnavailable, true), (answer.Status, answer.Headers.ContainsKey("Retry-After")));
            Assert.Contains($"Redis at {redis[Away].EndPoint}", answer.JsonBody.GetProperty("detail").GetString(), StringComparison.Ordinal);
        });
        var after = await Metrics.ScrapeAsync(node);
        Assert.Equal([0, 0], ((int[])[0, 2]).Select(server => after["push_backplane_reconnects_total" + redis.Label(server)]));
        Assert.True(after["push_backplane_reconnects_total" + redis.Label(Away)] >= 1);
    }

    [Fact]
    public async Task Rolling_restarts_add_a_third_server_without_losing_a_message()
    {
        await using var redis = await RedisServers.StartNewAsync(3);
        (string, string)[] two = [ShortWindow, .. redis.Settings(2)];
        (string, string)[] three = [ShortWindow, .. redis.Settings(3)];
        // Two rooms stay on their servers, and two move to the third server.
        string[] rooms =
        [
            RedisServers.RoomWhere(room => RedisServers.Home(room, 2) == 0 && RedisServers.Home(room, 3) == 0),
            RedisServers.RoomWhere(room => RedisServers.Home(room, 2) == 1 && RedisServers.Home(room, 3) == 1),
            RedisServers.RoomWhere(room => RedisServers.Home(room, 2) == 0 && RedisServers.Home(room, 3) == 2),
            RedisServers.RoomWhere(room => RedisServers.Home(room, 2) == 1 && RedisServers.Home(room, 3) == 2),
        ];
        await using var firstApi = await ProgramProcess.StartApiAsync([.. redis.Settings(2)]);
        await using var secondApi = await ProgramProcess.StartApiAsync([.. redis.Settings(2)]);
        await using var firstNode = await ProgramProcess.StartNodeAsync(two);
        await using var secondNode = await ProgramProcess.StartNodeAsync(two);

        var ports = new Rotation(firstApi.ApiPort, secondApi.ApiPort);
        RoomLoad[] loads = [.. rooms.Select(room => new RoomLoad(room, ports.Next))];
        var before = await WatchAsync(secondNode, rooms, loads);

        // Nodes first: a node's list must contain every server that an API publishes to.
        await StopAsync(firstNode);
        await using var firstNodeAgain = await ProgramProcess.StartNodeAsync(three);
        var first = await WatchAsync(firstNodeAgain, rooms, loads);
        await SawEverythingAsync(before, loads);
        await StopAsync(secondNode);
        await using var secondNodeAgain = await ProgramProcess.StartNodeAsync(three);
        var second = await WatchAsync(secondNodeAgain, rooms, loads);
        await ProceedAsync(loads);

        // Then the APIs, which disagree about two rooms until both are restarted.
        ports.Use(secondApi.ApiPort);
        await StopAsync(firstApi);
        await using var firstApiAgain = await ProgramProcess.StartApiAsync([.. redis.Settings(3)]);
        ports.Use(firstApiAgain.ApiPort, secondApi.ApiPort);
        await ProceedAsync(loads);
        ports.Use(firstApiAgain.ApiPort);
        await StopAsync(secondApi);
        await using var secondApiAgain = await ProgramProcess.StartApiAsync([.. redis.Settings(3)]);
        ports.Use(firstApiAgain.ApiPort, secondApiAgain.ApiPort);
        await ProceedAsync(loads);

        foreach (var load in loads)
            await load.StopAsync();
        output.WriteLine($"{loads.Sum(load => load.Accepted.Count)} messages accepted, {loads.Sum(load => load.Refused.Count)} refused");
        await SawEverythingAsync(first, loads);
        await SawEverythingAsync(second, loads);
        foreach (var (client, seen, room) in (IEnumerable<(WsClient Client, OutageWitness Seen, int Room)>)[.. first, .. second])
        {
            Assert.False(client.Ended.IsCompleted, "disconnected");
            Assert.Equal(0, seen.Gaps);
            // Only the messages of a room that moves may be reordered, while it is published on two servers.
            if (room < 2)
                Assert.Null(seen.Fault(loads[room].Accepted, gaps: 0));
            await client.DisposeAsync();
        }

        Assert.All(loads, load => Assert.Empty(load.Refused));
        await redis[2].StopAsync();
        await Eventually.HoldsAsync(
            async () => (await Http.PostAsync(firstApiAgain.ApiPort, $"/v1/rooms/{rooms[2]}/messages", Http.Json, "1")).Body.Contains(redis[2].EndPoint, StringComparison.Ordinal),
            "the room has moved to the third server");
    }

    /// <summary>An API of the old list keeps messages on the room's old home, with numbers of another history than that of the nodes.</summary>
    [Fact]
    public async Task A_room_with_history_that_moves_loses_nothing_meanwhile()
    {
        (string, string)[] kept = [ShortWindow, ("Rooms:0:Pattern", "*"), ("Rooms:0:History:Size", "100")];
        await using var redis = await RedisServers.StartNewAsync(2);
        var room = RedisServers.RoomAt(1, 2);
        await using var before = await ProgramProcess.StartApiAsync([.. kept[1..], .. redis.Settings(1)]);
        await using var after = await ProgramProcess.StartApiAsync([.. kept[1..], .. redis.Settings(2)]);
        await using var node = await ProgramProcess.StartNodeAsync([.. kept, .. redis.Settings(2)]);
        await using var member = await WsClient.ConnectAsync(node.NodePort);
        await member.JoinAsync(room);
        for (var i = 1; i <= 3; i++)
        {
            await Http.PublishAsync(before, room, $"\"before {i}\"");
            var plain = await member.NextAsync("PUSH");
            Assert.Equal(($"\"before {i}\"", false), (Assert.Single(plain.Items), plain.Data.TryGetProperty("epoch", out _)));
            await Http.PublishAsync(after, room, $"\"after {i}\"");
            var numbered = await member.NextAsync("PUSH");
            Assert.Equal(($"\"after {i}\"", i), (Assert.Single(numbered.Items), numbered.Data.GetProperty("offset").GetInt32()));
        }
    }

    [Fact]
    public async Task PushFarm_accepts_a_list_of_servers()
    {
        await using var redis = await RedisServers.StartNewAsync(2);
        await using var farm = await ProgramProcess.StartFarmAsync([("Backplane:CanaryTimeout", "00:01:00"), .. redis.Settings(2)]);
        await farm.WroteAsync($"The backplane is 2 Redis servers: {redis[0].EndPoint}; {redis[1].EndPoint}.");
        for (var home = 0; home < 2; home++)
        {
            var room = RedisServers.RoomAt(home, 2);
            await using var client = await WsClient.ConnectAsync(farm.NodePort);
            await client.JoinAsync(room);
            await Http.PublishAsync(farm, room, "1");
            Assert.Equal(["1"], await client.NextItemsAsync(room, 1));
        }
    }

    /// <summary>A request to several rooms is published to none if one room's server is unavailable.</summary>
    private static async Task PublishesWholeOrNotAtAllAsync(ProgramProcess api, WsClient client, RedisProcess away)
    {
        var (there, gone) = (RedisServers.RoomAt(2, 3), RedisServers.RoomAt(1, 3));
        await client.JoinAsync(there);
        var refused = await Http.PostAsync(api.ApiPort, "/v1/messages", Http.Json, $$"""{"rooms":["{{there}}","{{gone}}"],"items":["half"]}""");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "/problems/backplane-away"), (refused.Status, refused.JsonBody.GetProperty("type").GetString()));
        Assert.Contains($"Redis at {away.EndPoint}", refused.JsonBody.GetProperty("detail").GetString(), StringComparison.Ordinal);
        await Http.PublishAsync(api, there, "\"whole\"");
        Assert.Equal(["\"whole\""], await client.NextItemsAsync(there, 1));
    }

    /// <summary>Two members of each room that already receive messages.</summary>
    private static async Task<List<(WsClient Client, OutageWitness Seen, int Room)>> WatchAsync(ProgramProcess node, string[] rooms, RoomLoad[] loads)
    {
        var members = new List<(WsClient Client, OutageWitness Seen, int Room)>();
        for (var i = 0; i < 2 * rooms.Length; i++)
        {
            var seen = new OutageWitness(rooms[i % rooms.Length]);
            members.Add((await WsClient.ConnectAsync(node.NodePort, $"/ws?room={rooms[i % rooms.Length]}", new WsOptions { OnMessage = seen.Take }), seen, i % rooms.Length));
        }

        await Eventually.HoldsAsync(() => members.All(member => loads[member.Room].HasAccepted(member.Seen.Saw)), "everybody receives", () => node.Log);
        return members;
    }

    private static Task SawEverythingAsync(List<(WsClient Client, OutageWitness Seen, int Room)> members, RoomLoad[] loads)
    {
        var accepted = Array.ConvertAll(loads, load => load.Accepted);
        return Eventually.HoldsAsync(
            () => members.All(member => member.Seen.NotSeenOnce(accepted[member.Room]).Length == 0),
            "everything accepted was seen once",
            () => string.Join('\n', members.Select(member => $"room {member.Room}: not once {string.Join(' ', member.Seen.NotSeenOnce(accepted[member.Room]).Take(20))}")));
    }

    /// <summary>Every room has some more messages accepted.</summary>
    private static async Task ProceedAsync(RoomLoad[] loads)
    {
        foreach (var load in loads)
        {
            var last = load.Accepted.Max();
            await Eventually.HoldsAsync(() => load.HasAccepted(number => number > last + 50), "the load goes on");
        }
    }

    private static async Task StopAsync(ProgramProcess program)
    {
        program.Signal(Signals.Terminate);
        Assert.True(await program.ExitAsync() == 0, program.Log);
    }

    /// <summary>The APIs, used in turn.</summary>
    private sealed class Rotation(params int[] ports)
    {
        private volatile int[] _ports = ports;
        private int _next;

        public void Use(params int[] ports) => _ports = ports;

        public int Next()
        {
            var ports = _ports;
            return ports[(uint)Interlocked.Increment(ref _next) % ports.Length];
        }
    }
}
