using System.Net;
using System.Text;
using System.Text.Json;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>The routes that read counts, of a farm on the memory backplane.</summary>
public sealed class CountRoutesTests
{
    [Fact]
    public async Task Each_route_answers_with_what_the_farm_has()
    {
        await using var farm = await ProgramProcess.StartFarmAsync(("Push:Node", "only"));
        await using var client = await WsClient.ConnectAsync(farm.NodePort, "/ws?room=demo&online=1");
        Assert.Equal("""{"type":"JOINED","data":{"room":"demo","online":1}}""", (await client.NextAsync()).ToString());
        await using var second = await WsClient.ConnectAsync(farm.NodePort, "/ws?room=demo");
        await second.NextAsync("JOINED");
        await Http.PublishAsync(farm, "demo", "1");
        var push = await client.NextAsync("PUSH");
        Assert.Equal(2, push.Data.GetProperty("online").GetInt32());
        await Eventually.HoldsAsync(async () => await BodyAsync(farm, "/v1/rooms/demo") == """{"room":"demo","online":2,"users":0,"nodes":1}""", "the room is counted");
        Assert.Equal("""{"room":"默认","online":0,"users":0,"nodes":0}""", await BodyAsync(farm, "/v1/rooms/%E9%BB%98%E8%AE%A4"));
        // Each waits: a node that a busy machine stops for longer than its lease is not counted meanwhile.
        foreach (var query in (string[])["top=20", "prefix=de"])
        {
            await Eventually.HoldsAsync(
                async () => await BodyAsync(farm, $"/v1/rooms?{query}") == """{"rooms":[{"room":"demo","online":2,"nodes":1}]}""",
                $"the room is listed by {query}");
        }

        Assert.Equal("""{"rooms":[]}""", await BodyAsync(farm, "/v1/rooms?prefix=x"));
        Assert.Equal("""{"user":"alice","connections":0,"nodes":0}""", await BodyAsync(farm, "/v1/users/alice"));

        JsonElement[] nodes = [];
        await Eventually.HoldsAsync(
            async () => (nodes = [.. (await Http.GetAsync(farm.ApiPort, "/v1/nodes")).JsonBody.GetProperty("nodes").EnumerateArray()]).Length > 0,
            "the node is listed");
        var node = Assert.Single(nodes);
        Assert.Equal(("only", 2, 1), (node.GetProperty("node").GetString(), node.GetProperty("connections").GetInt32(), node.GetProperty("rooms").GetInt32()));
        JsonElement stats = default;
        await Eventually.HoldsAsync(
            async () =>
            {
                stats = (await Http.GetAsync(farm.ApiPort, "/v1/stats")).JsonBody;
                return (Number(stats, "messagesMerged"), Number(stats, "deliveries"), Number(stats, "framesSent")) == (1, 2, 2);
            },
            "the push is counted");
        Assert.Equal((1, 2, 2), (stats.GetProperty("nodes").GetInt32(), stats.GetProperty("connections").GetInt32(), stats.GetProperty("framesSent").GetInt32()));
        JsonElement goPush = default;
        await Eventually.HoldsAsync(
            async () => Number(goPush = (await Http.GetAsync(farm.ApiPort, "/stats")).JsonBody, "sendMessageTotal") == 2,
            "the push is counted by go-push's names");
        foreach (var (name, value) in ((string, int)[])[("onlineConnections", 2), ("sendMessageTotal", 2), ("roomCount", 1), ("mergerRoomTotal", 1), ("mergerAllTotal", 0), ("mergerPending", 0), ("dispatchTotal", 1), ("pushFail", 0)])
            Assert.Equal((name, value), (name, Number(goPush, name)));

        foreach (var (path, type, field) in Wrong)
        {
            var answer = await Http.GetAsync(farm.ApiPort, path);
            Assert.Equal((path, HttpStatusCode.BadRequest, type, Http.Problem), (path, answer.Status, answer.JsonBody.GetProperty("type").GetString()!["/problems/".Length..], answer.MediaType));
            Assert.Equal(field, answer.JsonBody.GetProperty("field").GetString());
            Assert.DoesNotContain("published", answer.JsonBody.GetProperty("detail").GetString()!, StringComparison.Ordinal);
        }

        var posted = await Http.PostAsync(farm.ApiPort, "/v1/stats", Http.Json, "{}");
        Assert.Equal((HttpStatusCode.MethodNotAllowed, "GET"), (posted.Status, posted.Headers["Allow"]));
    }

    [Fact]
    public async Task A_user_s_answer_has_the_ban_and_mutes_that_are_not_over()
    {
        await using var farm = await ProgramProcess.StartFarmAsync();
        var none = await BodyAsync(farm, "/v1/users/alice");
        Assert.Equal("""{"user":"alice","connections":0,"nodes":0}""", none);
        var ban = await OrderAsync(farm, HttpMethod.Put, "ban", """{"seconds":600,"reason":"spam \"2\""}""");
        var everywhere = await OrderAsync(farm, HttpMethod.Put, "mute", """{"seconds":60}""");
        var inRoom = await OrderAsync(farm, HttpMethod.Put, "mute", """{"seconds":60,"room":"默认","reason":"caps"}""");
        var all = $$"""
            {{none[..^1]}},"ban":{"until":{{ban}},"reason":"spam \"2\""},"mutes":[{"until":{{everywhere}}},{"room":"默认","until":{{inRoom}},"reason":"caps"}]}
            """;
        await Eventually.HoldsAsync(async () => await BodyAsync(farm, "/v1/users/alice") == all, "the answer has all three");
        Assert.Equal("""{"user":"bob","connections":0,"nodes":0}""", await BodyAsync(farm, "/v1/users/bob"));
        await OrderAsync(farm, HttpMethod.Delete, "ban", null);
        await OrderAsync(farm, HttpMethod.Delete, "mute", null);
        await OrderAsync(farm, HttpMethod.Delete, "mute", """{"room":"默认"}""");
        await Eventually.HoldsAsync(async () => await BodyAsync(farm, "/v1/users/alice") == none, "all are lifted");
    }

    private static int Number(JsonElement answer, string name) => answer.GetProperty(name).GetInt32();

    /// <returns>When it is over, if that is answered.</returns>
    private static async Task<long> OrderAsync(ProgramProcess farm, HttpMethod method, string what, string? body)
    {
        using var request = new HttpRequestMessage(method, new Uri($"{farm.ApiUrl}/v1/users/alice/{what}"));
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, Http.Json);
        var answer = await Http.SendAsync(request);
        Assert.True(answer.Status == HttpStatusCode.OK, $"{(int)answer.Status} {answer.Body}");
        return answer.JsonBody.TryGetProperty("until", out var until) ? until.GetInt64() : 0;
    }

    private static (string Path, string Type, string Field)[] Wrong =>
    [
        ("/v1/rooms?top=0", "bad-query", "top"), ("/v1/rooms?top=101", "bad-query", "top"), ("/v1/rooms?top=-1", "bad-query", "top"), ("/v1/rooms?top=x", "bad-query", "top"),
        ("/v1/rooms?top=", "bad-query", "top"), ("/v1/rooms?top=1&top=2", "bad-query", "top"), ("/v1/rooms?limit=1000000000000", "bad-query", "limit"),
        ("/v1/rooms?top=5&cursor=YQ", "bad-query", "top"), ("/v1/rooms?top=5&limit=5", "bad-query", "top"), ("/v1/rooms?cursor=%20", "bad-query", "cursor"),
        ("/v1/rooms?cursor=_w", "bad-query", "cursor"), ("/v1/rooms?prefix=b&cursor=YQ", "bad-query", "cursor"), ("/v1/rooms?prefix=a%2Fb", "bad-query", "prefix"),
        ("/v1/rooms?prefix=%01", "bad-query", "prefix"), ("/v1/rooms?prefix=" + new string('x', 129), "bad-query", "prefix"), ("/v1/nodes?limit=", "bad-query", "limit"),
        ("/v1/rooms/" + new string('x', 129), "bad-room", "room"), ("/v1/rooms/%FF", "bad-room", "room"), ("/v1/users/%01", "bad-user", "user"),
    ];

    private static async Task<string> BodyAsync(ProgramProcess farm, string path)
    {
        var answer = await Http.GetAsync(farm.ApiPort, path);
        Assert.True(answer.Status == HttpStatusCode.OK, $"{path}: {(int)answer.Status} {answer.Body}");
        return answer.Body;
    }
}
