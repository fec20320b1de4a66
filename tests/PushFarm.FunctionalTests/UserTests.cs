using System.Net;
using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;

namespace PushFarm.FunctionalTests;

/// <summary>Users on three nodes behind one Redis, and what operators do to them.</summary>
public sealed class UserTests : IAsyncLifetime
{
    private UserFarm? _started;

    private UserFarm Farm => _started!;

    public async ValueTask InitializeAsync() => _started = await UserFarm.StartAsync(
        nodes: 3, ("Rooms:0:Pattern", "slow*"), ("Rooms:0:SlowMode", "00:10:00"), ("Push:Connections:MaxPerUser", "3"));

    public async ValueTask DisposeAsync()
    {
        if (_started is not null)
            await _started.DisposeAsync();
    }

    [Fact]
    public async Task A_user_s_devices_get_the_user_s_messages_and_are_disconnected_together()
    {
        var room = Room.New();
        var alice = new List<WsClient>();
        for (var i = 0; i < 4; i++)
            alice.Add(await UserFarm.ConnectAsync(Farm.Nodes[i % 3], "alice", room));
        await using var bob = await UserFarm.ConnectAsync(Farm.Nodes[0], "bob", room);

        // Until every node has subscribed the user's channel.
        await Eventually.HoldsAsync(async () => await Farm.Redis.CliAsync("PUBLISH", "push:user:alice", "\"warm\"") == "3", "all nodes are subscribed");
        var published = await Http.PostAsync(Farm.Api.ApiPort, "/v1/users/alice/messages", Http.Json, """{"n":1}""");
        Assert.Equal((HttpStatusCode.Accepted, """{"accepted":1,"nodes":3}"""), (published.Status, published.Body));
        foreach (var device in alice)
        {
            var push = await NextWithAsync(device, """{"n":1}""");
            Assert.Equal(("alice", false), (push.Data.GetProperty("user").GetString(), push.Data.TryGetProperty("room", out _)));
        }

        var left = await Farm.CallAsync(HttpMethod.Delete, $"/v1/rooms/{room}/members/alice");
        Assert.Equal((HttpStatusCode.OK, """{"nodes":3}"""), (left.Status, left.Body));
        foreach (var device in alice)
            Assert.Equal("removed", (await AnswerAsync(device, "LEFT")).Data.GetProperty("reason").GetString());

        var gone = await Farm.CallAsync(HttpMethod.Delete, "/v1/users/alice/connections", """{"reason":"退房 now"}""");
        Assert.Equal((HttpStatusCode.OK, """{"nodes":3}"""), (gone.Status, gone.Body));
        foreach (var device in alice)
            Assert.Equal((4009, "退房 now"), await EndAsync(device));
        await bob.PingAsync();
    }

    [Fact]
    public async Task A_ban_holds_on_all_nodes_over_restarts_of_nodes_and_until_it_is_lifted()
    {
        var room = Room.New();
        await using var alice = await UserFarm.ConnectAsync(Farm.Nodes[0], "alice", room);
        var banned = await Farm.CallAsync(HttpMethod.Put, "/v1/users/alice/ban", """{"seconds":600,"reason":"spam"}""");
        Assert.Equal((HttpStatusCode.OK, 3), (banned.Status, banned.JsonBody.GetProperty("nodes").GetInt32()));
        Assert.Equal((4003, "banned: spam"), await EndAsync(alice));

        await Farm.RestartAsync(1);
        foreach (var node in Farm.Nodes)
        {
            await Eventually.HoldsAsync(async () => (await Metrics.ScrapeAsync(node))["push_restrictions"] > 0, "the node has heard or read it");
            await using var again = await WsClient.ConnectAsync(node.NodePort, $"/ws?token={UserFarm.Token("alice")}");
            Assert.Equal((4003, "banned: spam"), await EndAsync(again));
            var stream = await Http.GetAsync(node.NodePort, $"/stream?token={UserFarm.Token("alice")}");
            Assert.Equal((HttpStatusCode.Forbidden, "banned: spam\n"), (stream.Status, stream.Body));
        }

        Assert.Equal(HttpStatusCode.OK, (await Farm.CallAsync(HttpMethod.Delete, "/v1/users/alice/ban")).Status);
        foreach (var node in Farm.Nodes)
        {
            await Eventually.HoldsAsync(async () => (await Metrics.ScrapeAsync(node))["push_restrictions"] == 0, "the node has heard it");
            await (await UserFarm.ConnectAsync(node, "alice", room)).DisposeAsync();
        }
    }

    [Fact]
    public async Task What_users_send_is_named_limited_and_counted()
    {
        var (room, slow) = (Room.New(), Room.New("slow"));
        await using var alice = await UserFarm.ConnectAsync(Farm.Nodes[0], "alice", room);
        await using var bob = await UserFarm.ConnectAsync(Farm.Nodes[1], "bob", room);
        await alice.SendAsync(SendText(1, room, """{"from":"root"}"""));
        Assert.Equal("1", (await AnswerAsync(alice, "SENT")).Id);
        Assert.Equal(["""{"from":"alice","item":{"from":"root"}}"""], await bob.NextItemsAsync(room, 1));

        // Muted in this room, by whatever node.
        Assert.Equal(
            HttpStatusCode.OK, (await Farm.CallAsync(HttpMethod.Put, "/v1/users/bob/mute", $$"""{"seconds":600,"room":{{WsClient.Quote(room)}}}""")).Status);
        await Eventually.HoldsAsync(async () => (await Metrics.ScrapeAsync(Farm.Nodes[1]))["push_restrictions"] == 1, "the node has heard it");
        await bob.SendAsync(SendText(2, room, "1"));
        Assert.Equal("muted", (await AnswerAsync(bob, "ERROR")).Code);

        // Slow mode over two nodes.
        await using var elsewhere = await UserFarm.ConnectAsync(Farm.Nodes[2], "alice", slow);
        await elsewhere.SendAsync(SendText(3, slow, "1"));
        await AnswerAsync(elsewhere, "SENT");
        await alice.SendAsync(SendText(4, slow, "2"));
        Assert.Equal("slow_mode", (await AnswerAsync(alice, "ERROR")).Code);
        await bob.SendAsync(SendText(5, slow, "3"));
        await AnswerAsync(bob, "SENT");
        Assert.Equal("1", await Farm.Redis.CliAsync("EXISTS", $"push:slow:{slow}/alice"));

        // A flood is refused, and the sum of all results is what was sent.
        for (var i = 0; i < 100; i++)
            await alice.SendAsync(SendText(100 + i, room, "0"));
        var answers = new List<ServerMessage>();
        while (answers.Count < 100)
        {
            if (await alice.NextAsync() is { Type: "SENT" or "ERROR" } answer)
                answers.Add(answer);
        }

        Assert.All(answers.Where(answer => answer.Type == "ERROR"), answer => Assert.Equal("send_limited", answer.Code));
        Assert.InRange(answers.Count(answer => answer.Type == "SENT"), 1, 50);
        var metrics = await Metrics.ScrapeAsync(Farm.Nodes[0]);
        Assert.Equal(102, metrics.Of("push_sends_total").Sum(sample => sample.Value));
        Assert.Equal(answers.Count(answer => answer.Type == "SENT") + 1, metrics["push_sends_total{result=\"published\"}"]);
    }

    [Fact]
    public async Task While_Redis_is_away_a_SEND_is_refused_and_afterwards_bans_are_read_again()
    {
        var room = Room.New();
        await using var alice = await UserFarm.ConnectAsync(Farm.Nodes[0], "alice", room);
        await Farm.Redis.StopAsync();
        await Eventually.HoldsAsync(async () =>
        {
            await alice.SendAsync(SendText(1, room, "1"));
            return await alice.NextAsync() is { Type: "ERROR", Code: "not_sent" };
        }, "the node says that it is away");
        var unavailable = await Farm.CallAsync(HttpMethod.Put, "/v1/users/alice/ban", """{"seconds":600}""");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "1"), (unavailable.Status, unavailable.Headers["Retry-After"]));

        await Farm.Redis.StartAsync();
        foreach (var node in Farm.Nodes)
            await node.BecomesReadyAsync();
        // As if the command had come while the nodes were cut off.
        await Farm.Redis.CliAsync("HSET", "push:restrictions", "ban/alice", $"{DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 600} no more");
        await Farm.Redis.CliAsync("CLIENT", "KILL", "TYPE", "pubsub");
        Assert.Equal((4003, "banned: no more"), await EndAsync(alice));
    }

    [Fact]
    public async Task One_user_s_connections_are_limited_on_each_node()
    {
        var devices = new List<WsClient>();
        for (var i = 0; i < 3; i++)
            devices.Add(await UserFarm.ConnectAsync(Farm.Nodes[0], "alice", "r"));
        await using var fourth = await WsClient.ConnectAsync(Farm.Nodes[0].NodePort, $"/ws?token={UserFarm.Token("alice")}");
        Assert.Equal((1013, "too many connections of this user"), await EndAsync(fourth));
        var stream = await Http.GetAsync(Farm.Nodes[0].NodePort, $"/sse?token={UserFarm.Token("alice")}");
        Assert.Equal((HttpStatusCode.TooManyRequests, "too many connections of this user\n"), (stream.Status, stream.Body));
        await using var elsewhere = await UserFarm.ConnectAsync(Farm.Nodes[1], "alice", "r");
        foreach (var device in devices)
            await device.DisposeAsync();
    }

    private static async Task<ServerMessage> NextWithAsync(WsClient client, string item)
    {
        while (true)
        {
            var push = await client.NextAsync("PUSH");
            if (push.Items.Contains(item))
                return push;
        }
    }

    /// <summary>The next message that is not a PUSH.</summary>
    private static async Task<ServerMessage> AnswerAsync(WsClient client, string type)
    {
        while (true)
        {
            if (await client.NextAsync() is { Type: not "PUSH" } answer)
            {
                Assert.True(answer.Type == type, $"expected {type}, got {answer}");
                return answer;
            }
        }
    }

    private static async Task<(int?, string)> EndAsync(WsClient client)
    {
        var end = await client.EndAsync();
        return (end.Code, end.Reason);
    }

    private static string SendText(int id, string room, string item) =>
        $$$"""{"type":"SEND","id":{{{id}}},"data":{"room":{{{WsClient.Quote(room)}}},"item":{{{item}}}}}""";
}
