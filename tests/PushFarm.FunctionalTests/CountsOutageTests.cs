using System.Net;
using System.Text.Json;
using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>Counts while the Redis server that keeps them is away, and with several servers.</summary>
public sealed class CountsOutageTests
{
    /// <summary>A Redis that a busy machine stops for seconds is not away.</summary>
    private static readonly (string, string) BearsStalls = ("Backplane:CanaryTimeout", "00:01:00");

    [Fact]
    public async Task Counts_come_back_after_redis_restarts_empty()
    {
        var room = Room.New();
        await using var redis = await RedisProcess.StartNewAsync();
        await using var farm = await ProgramProcess.StartFarmAsync(("ConnectionStrings:Redis", redis.EndPoint), BearsStalls);
        await using var client = await WsClient.ConnectAsync(farm.NodePort);
        await client.JoinAsync(room);
        await OnlineBecomesAsync(farm, room, 1);
        await redis.StopAsync();
        await AwayAsync(farm, room);

        // What changes meanwhile is reported when Redis is back.
        await using var second = await WsClient.ConnectAsync(farm.NodePort, $"/ws?room={room}");
        await redis.StartAsync();
        await OnlineBecomesAsync(farm, room, 2);
    }

    [Fact]
    public async Task Without_the_first_of_several_servers_only_counts_are_missing()
    {
        await using var first = await RedisProcess.StartNewAsync();
        await using var second = await RedisProcess.StartNewAsync();
        await using var farm = await ProgramProcess.StartFarmAsync(
            ("Backplane:Servers:0", first.EndPoint), ("Backplane:Servers:1", second.EndPoint), BearsStalls);
        await using var client = await WsClient.ConnectAsync(farm.NodePort);
        string[] rooms = [.. Enumerable.Range(0, 8).Select(i => Room.New($"{i}"))];
        foreach (var room in rooms[..5])
            await client.JoinAsync(room);
        await OnlineBecomesAsync(farm, rooms[4], 1);
        Assert.Equal("0", await second.CliAsync("DBSIZE"));

        await first.StopAsync();
        await AwayAsync(farm, rooms[0]);
        // A room on the other server is joined and answered, without the number.
        await using var late = await WsClient.ConnectAsync(farm.NodePort);
        foreach (var room in rooms[5..])
            await late.SendAsync($$$"""{"type":"JOIN","data":{"room":{{{WsClient.Quote(room)}}},"online":true}}""");
        for (var i = 5; i < rooms.Length; i++)
        {
            var answer = await late.NextAsync();
            Assert.True(answer.Type == "ERROR" ? answer.Code == "backplane_away" : answer.Type == "JOINED" && !answer.Data.TryGetProperty("online", out _), answer.ToString());
        }

        await first.StartAsync();
        await OnlineBecomesAsync(farm, rooms[7], 1);
    }

    [Fact]
    public async Task A_node_that_does_not_count_writes_nothing_and_ignores_online()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var farm = await ProgramProcess.StartFarmAsync(
            ("ConnectionStrings:Redis", redis.EndPoint), ("Push:Counts:Enabled", "false"), BearsStalls);
        await using var client = await WsClient.ConnectAsync(farm.NodePort, "/ws?room=r&online=1");
        Assert.Equal("""{"type":"JOINED","data":{"room":"r"}}""", (await client.NextAsync()).ToString());
        Assert.Equal(0, await OnlineAsync(farm, "r"));
        Assert.Equal("0", await redis.CliAsync("DBSIZE"));
    }

    /// <summary>Operators who gave a user of Redis only the rights of before notice it in the log and nowhere else.</summary>
    [Fact]
    public async Task A_user_of_redis_without_the_rights_keeps_everything_but_counts()
    {
        await using var redis = await RedisProcess.StartNewAsync("--user", "node", "on", ">secret", "resetchannels", "&push:*", "+publish", "+subscribe", "+unsubscribe");
        await using var farm = await ProgramProcess.StartFarmAsync(("ConnectionStrings:Redis", redis.EndPoint + ",user=node,password=secret"), BearsStalls);
        await using var client = await WsClient.ConnectAsync(farm.NodePort, "/ws?room=r&online=1");
        Assert.Equal("""{"type":"JOINED","data":{"room":"r"}}""", (await client.NextAsync()).ToString());
        // Without a key: a publish with one is a script, which the user may not run.
        Assert.Equal(HttpStatusCode.Accepted, (await Http.PostAsync(farm.ApiPort, "/v1/rooms/r/messages", Http.Json, "1")).Status);
        Assert.Equal(["1"], await client.NextItemsAsync("r", 1));
        var answer = await Http.GetAsync(farm.ApiPort, "/v1/rooms/r");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "/problems/counts-away"), (answer.Status, answer.JsonBody.GetProperty("type").GetString()));
        Assert.Contains("refuses to read the counts: its ACL forbids the user EVAL (NOPERM).", answer.JsonBody.GetProperty("detail").GetString(), StringComparison.Ordinal);
        await Eventually.HoldsAsync(() => farm.Output.Contains("refuses the node's counts: its ACL forbids the user EVAL (NOPERM)", StringComparison.Ordinal), "the refusal is logged");
        Assert.Equal(2, farm.Output.Split("refuses the node's counts").Length);
    }

    private static Task OnlineBecomesAsync(ProgramProcess farm, string room, int online) =>
        Eventually.HoldsAsync(async () => await OnlineAsync(farm, room) == online, $"{room} has {online} members", () => farm.Log);

    private static async Task<int?> OnlineAsync(ProgramProcess farm, string room)
    {
        var answer = await Http.GetAsync(farm.ApiPort, $"/v1/rooms/{Uri.EscapeDataString(room)}");
        return answer.Status == HttpStatusCode.OK ? answer.JsonBody.GetProperty("online").GetInt32() : null;
    }

    private static async Task AwayAsync(ProgramProcess farm, string room)
    {
        JsonElement problem = default;
        await Eventually.HoldsAsync(
            async () =>
            {
                var answer = await Http.GetAsync(farm.ApiPort, $"/v1/rooms/{Uri.EscapeDataString(room)}");
                problem = answer.JsonBody;
                return answer.Status == HttpStatusCode.ServiceUnavailable && answer.Headers["Retry-After"] == "1";
            },
            "counts are refused");
        Assert.Equal("/problems/counts-away", problem.GetProperty("type").GetString());
    }
}
