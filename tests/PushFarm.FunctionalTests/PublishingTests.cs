using System.Net;
using System.Text;
using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>The HTTP API from request to socket, and its refusals.</summary>
[Collection(EpollFarmDefinition.Name)]
public sealed class PublishingTests(FarmFixture fixture)
{
    private readonly ProgramProcess _farm = fixture.Farm;

    public static TheoryData<string> JsonMessages => new()
    {
        { """{"text":"hi"}""" },
        { """{ "a" : 1.0e0,  "b":"\u00e9 é", "a":2 }""" },
        { "\"只有文字 🎉\"" },
        { "[]" },
        { "null" },
        { "-0.10" },
        { "12345678901234567890123456789" },
        { "\"</script>\\/&<>'\"" },
        { new string('[', 64) + new string(']', 64) },
    };

    public static TheoryData<string, string, string, int, string> Refusals => new()
    {
        { "/v1/rooms/r/messages", Http.Json, "{", 400, "" },
        { "/v1/rooms/r/messages", Http.Json, "{} {}", 400, "" },
        { "/v1/rooms/r/messages", Http.Json, "", 400, "" },
        { "/v1/rooms/r/messages", Http.Json, new string('[', 65) + new string(']', 65), 400, "" },
        { "/v1/rooms/r/messages", Http.Lines, "{\"a\":1}\n{\"a\":\n{\"a\":3}\n", 400, "2" },
        { "/v1/rooms/r/messages", Http.Lines, "", 400, "" },
        { "/v1/rooms/r/messages", "application/xml", "<a/>", 415, "" },
        { "/v1/rooms/r/messages", "application/octet-stream", "1", 415, "" },
        { "/v1/rooms/r/messages", Http.Text, new string('x', (64 * 1024) + 1), 413, "" },
        { "/v1/rooms/r/messages", Http.Json, '"' + new string('x', 64 * 1024) + '"', 413, "" },
        { "/v1/rooms/r/messages", Http.Lines, "1\n\"" + new string('x', 64 * 1024) + "\"\n", 413, "2" },
        { "/v1/rooms/r/messages", Http.Lines, new string('x', (1024 * 1024) + 1), 413, "" },
        { $"/v1/rooms/{new string('r', 129)}/messages", Http.Json, "1", 400, "room" },
        { "/v1/rooms/a%0Ab/messages", Http.Json, "1", 400, "room" },
        { "/v1/rooms/%FF/messages", Http.Json, "1", 400, "room" },
        { "/v1/rooms/a%2Fb/messages", Http.Json, "1", 400, "room" },
        { "/v1/messages", Http.Json, """{"rooms":["a"],"items":[1]""", 400, "" },
        { "/v1/messages", Http.Json, """{"items":[1]}""", 400, "rooms" },
        { "/v1/messages", Http.Json, """{"rooms":[],"items":[1]}""", 400, "rooms" },
        { "/v1/messages", Http.Json, """{"rooms":"a","items":[1]}""", 400, "rooms" },
        { "/v1/messages", Http.Json, """{"rooms":["ok","a/b"],"items":[1]}""", 400, "rooms" },
        { "/v1/messages", Http.Json, """{"rooms":["a"]}""", 400, "items" },
        { "/v1/messages", Http.Json, """{"rooms":["a"],"items":{}}""", 400, "items" },
        { "/v1/messages", Http.Json, """{"rooms":["a"],"items":[]}""", 400, "items" },
        { "/v1/messages", Http.Text, "hello", 415, "" },
        { "/v1/broadcast", Http.Json, "{", 400, "" },
        { "/push/room", Http.Form, "room=r", 400, "items" },
        { "/push/room", Http.Form, "items=[1]", 400, "room" },
        { "/push/room", Http.Form, "room=a%2Fb&items=[1]", 400, "room" },
        { "/push/room", Http.Form, "room=r&items=[1", 400, "items" },
        { "/push/room", Http.Form, "room=r&items=1", 400, "items" },
        { "/push/room", Http.Json, "[1]", 415, "" },
        { "/push/all", Http.Form, "", 400, "empty" },
        { "/push/all", Http.Form, "other=1", 400, "items" },
    };

    [Theory]
    [MemberData(nameof(JsonMessages))]
    public async Task A_JSON_message_arrives_byte_for_byte(string json)
    {
        var (room, client) = await JoinedAsync();
        await using var _ = client;
        var answer = await Http.PublishAsync(_farm, room, json);
        Assert.Equal(1, answer.GetProperty("accepted").GetInt32());
        Assert.Equal(1, answer.GetProperty("nodes").GetInt32());
        Assert.Equal([json], await client.NextItemsAsync(room, 1));
    }

    [Fact]
    public async Task Every_line_of_NDJSON_arrives_in_order()
    {
        var (room, client) = await JoinedAsync();
        await using var _ = client;
        await AcceptedAsync($"/v1/rooms/{room}/messages", Http.Lines, "{\"n\":1}\n \"二\" \n3", 3);
        Assert.Equal(["{\"n\":1}", "\"二\"", "3"], await client.NextItemsAsync(room, 3));
    }

    [Fact]
    public async Task A_request_with_one_bad_line_publishes_nothing()
    {
        var (room, client) = await JoinedAsync();
        await using var _ = client;
        var answer = await Http.PostAsync(_farm.ApiPort, $"/v1/rooms/{room}/messages", Http.Lines, "1\n2\noops\n4\n");
        Assert.Equal((HttpStatusCode.BadRequest, Http.Problem), (answer.Status, answer.MediaType));
        Assert.Contains("3", answer.Body, StringComparison.Ordinal);
        await Http.PublishAsync(_farm, room, "\"marker\"");
        Assert.Equal(["\"marker\""], await client.NextItemsAsync(room, 1));
    }

    [Theory]
    [InlineData(Http.Text)]
    [InlineData("text/plain; charset=utf-8")]
    public async Task Text_arrives_as_one_JSON_string(string contentType)
    {
        const string text = "你好 \"quoted\" \\ 🎉\nsecond line {}";
        var (room, client) = await JoinedAsync();
        await using var _ = client;
        await AcceptedAsync($"/v1/rooms/{room}/messages", contentType, text, 1);
        Assert.Equal(text, System.Text.Json.JsonSerializer.Deserialize<string>((await client.NextItemsAsync(room, 1))[0]));
    }

    [Fact]
    public async Task Text_that_looks_like_JSON_stays_text()
    {
        var (room, client) = await JoinedAsync();
        await using var _ = client;
        await AcceptedAsync($"/v1/rooms/{room}/messages", Http.Text, "{}", 1);
        Assert.Equal(["\"{}\""], await client.NextItemsAsync(room, 1));
    }

    [Fact]
    public async Task Several_rooms_get_all_items_and_accepted_counts_each()
    {
        var (first, firstClient) = await JoinedAsync();
        var (second, secondClient) = await JoinedAsync("二号");
        await using var _ = firstClient;
        await using var __ = secondClient;
        await AcceptedAsync("/v1/messages", Http.Json, $$"""{"rooms":["{{first}}","{{second}}"],"items":[{"n":1}, "two" ,3]}""", 6);
        Assert.Equal(["{\"n\":1}", "\"two\"", "3"], await firstClient.NextItemsAsync(first, 3));
        Assert.Equal(["{\"n\":1}", "\"two\"", "3"], await secondClient.NextItemsAsync(second, 3));
    }

    [Fact]
    public async Task A_broadcast_reaches_every_client_once_without_a_room()
    {
        var (_, member) = await JoinedAsync();
        await using var __ = member;
        await using var outsider = await WsClient.ConnectAsync(_farm.NodePort);
        await outsider.PingAsync();
        await AcceptedAsync("/v1/broadcast", Http.Lines, "1\n2\n", 2);
        Assert.Equal(["1", "2"], await member.NextItemsAsync(null, 2));
        Assert.Equal(["1", "2"], await outsider.NextItemsAsync(null, 2));
    }

    [Fact]
    public async Task The_forms_of_go_push_arrive_byte_for_byte()
    {
        const string item = """{"msg":"100% & a+b = 中文 🎉 %41"}""";
        var (room, client) = await JoinedAsync();
        await using var _ = client;
        await AcceptedAsync("/push/room", Http.Form, $"room={room}&items={Uri.EscapeDataString($"[{item},2]")}", 2);
        Assert.Equal([item, "2"], await client.NextItemsAsync(room, 2));
        await AcceptedAsync("/push/all", Http.Form, $"items={Uri.EscapeDataString($"[{item}]")}", 1);
        Assert.Equal([item], await client.NextItemsAsync(null, 1));
    }

    [Fact]
    public async Task The_unencoded_curl_calls_of_go_push_work()
    {
        var (room, client) = await JoinedAsync("默认房间");
        await using var _ = client;
        await AcceptedAsync("/push/room", Http.Form, $$"""room={{room}}&items=[{"msg":"hi"},{"msg":"bye"}]""", 2);
        Assert.Equal(["{\"msg\":\"hi\"}", "{\"msg\":\"bye\"}"], await client.NextItemsAsync(room, 2));
        await AcceptedAsync("/push/all", Http.Form, """items=[{"msg":"hi"},{"msg":"bye"}]""", 2);
        Assert.Equal(["{\"msg\":\"hi\"}", "{\"msg\":\"bye\"}"], await client.NextItemsAsync(null, 2));
    }

    [Fact]
    public async Task Requests_of_one_publisher_arrive_in_order()
    {
        var (room, client) = await JoinedAsync();
        await using var _ = client;
        // Without keys, so that requests leave together; and some at a time, so that a busy machine answers each before its deadline.
        await Parallel.ForAsync(0, 300, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, token) => await PublishAsync(i));
        for (var i = 300; i < 400; i++)
            await PublishAsync(i);
        var items = await client.NextItemsAsync(room, 400);
        Assert.Equal(Enumerable.Range(0, 300), items.Take(300).Select(int.Parse).Order());
        Assert.Equal(Enumerable.Range(300, 100), items.Skip(300).Select(int.Parse));

        Task PublishAsync(int number) => AcceptedAsync($"/v1/rooms/{room}/messages", Http.Json, $"{number}", 1);
    }

    [Fact]
    public async Task Messages_to_a_room_without_members_reach_no_node()
    {
        var answer = await Http.PublishAsync(_farm, Room.New(), "1");
        Assert.Equal(1, answer.GetProperty("accepted").GetInt32());
        Assert.Equal(0, answer.GetProperty("nodes").GetInt32());
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task An_invalid_request_is_a_problem_that_names_the_field(string path, string contentType, string body, int status, string named)
    {
        var answer = await Http.PostAsync(_farm.ApiPort, path, contentType, body);
        Assert.True((int)answer.Status == status, $"{(int)answer.Status} {answer.Body}");
        Assert.Equal(Http.Problem, answer.MediaType);
        Assert.Equal(status, answer.JsonBody.GetProperty("status").GetInt32());
        Assert.Contains(named, answer.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v1/rooms/../messages", 400)]
    [InlineData("/v1/rooms/%2e%2e/messages", 400)]
    [InlineData("/v1/rooms/%2E/messages", 400)]
    [InlineData("/v1/rooms/%zz/messages", 400)]
    [InlineData("/v1/rooms/a%00b/messages", 400)] // Kestrel itself refuses this one, without a body.
    public async Task A_room_that_no_HTTP_client_would_send_is_invalid(string target, int status)
    {
        var answer = await RawHttp.SendAsync(_farm.ApiPort, $"POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n1");
        Assert.Equal(status, answer.Status);
    }

    [Fact]
    public async Task Bytes_that_are_not_UTF8_are_refused()
    {
        foreach (var contentType in (string[])[Http.Json, Http.Lines, Http.Text])
        {
            var answer = await Http.PostAsync(_farm.ApiPort, "/v1/rooms/r/messages", contentType, (byte[])[0x22, 0xFF, 0x22]);
            Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        }

        Assert.Equal(HttpStatusCode.BadRequest, (await Http.PostAsync(_farm.ApiPort, "/push/room", Http.Form, "room=r&items=%5B%22%FF%22%5D")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await Http.PostAsync(_farm.ApiPort, "/v1/messages", Http.Json, [.. """{"rooms":["r"],"items":[" """u8, 0xFF, .. "\"]}"u8])).Status);
    }

    [Fact]
    public async Task The_largest_number_of_items_arrives_and_one_more_is_refused()
    {
        var (room, client) = await JoinedAsync();
        await using var _ = client;
        var path = $"/v1/rooms/{room}/messages";
        var answer = await Http.PostAsync(_farm.ApiPort, path, Http.Lines, string.Concat(Enumerable.Repeat("1\n", 1001)));
        Assert.True(answer.Status is HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge, $"{answer}");
        await AcceptedAsync(path, Http.Lines, string.Concat(Enumerable.Repeat("2\n", 1000)), 1000);
        Assert.All(await client.NextItemsAsync(room, 1000), item => Assert.Equal("2", item));
    }

    [Theory]
    [InlineData("GET", "/v1/broadcast")]
    [InlineData("PUT", "/v1/rooms/r/messages")]
    [InlineData("DELETE", "/v1/messages")]
    [InlineData("GET", "/push/all")]
    public async Task Another_method_is_405(string method, string path)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri($"http://127.0.0.1:{_farm.ApiPort}{path}"));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await Http.SendAsync(request)).Status);
    }

    [Fact]
    public async Task Cross_site_posts_are_refused()
    {
        foreach (var (site, expected) in new[] { ("cross-site", HttpStatusCode.Forbidden), ("same-origin", HttpStatusCode.Accepted) })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"http://127.0.0.1:{_farm.ApiPort}/v1/rooms/{Room.New()}/messages"));
            request.Content = new StringContent("hi", Encoding.UTF8, Http.Text);
            request.Headers.Add("Sec-Fetch-Site", site);
            Assert.Equal(expected, (await Http.SendAsync(request)).Status);
        }
    }

    [Fact]
    public async Task The_OpenAPI_document_describes_the_routes()
    {
        var answer = await Http.GetAsync(_farm.ApiPort, "/openapi/v1.json");
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        var paths = answer.JsonBody.GetProperty("paths").EnumerateObject().Select(path => path.Name).ToList();
        Assert.Contains("/v1/rooms/{room}/messages", paths);
        Assert.Contains("/v1/messages", paths);
        Assert.Contains("/v1/broadcast", paths);
    }

    private async Task<(string Room, WsClient Client)> JoinedAsync(string prefix = "room")
    {
        var room = Room.New(prefix);
        var client = await WsClient.ConnectAsync(_farm.NodePort);
        await client.JoinAsync(room);
        return (room, client);
    }

    private async Task AcceptedAsync(string path, string contentType, string body, int accepted)
    {
        var answer = await Http.PostAsync(_farm.ApiPort, path, contentType, body);
        Assert.True(answer.Status == HttpStatusCode.Accepted, $"{(int)answer.Status} {answer.Body}");
        Assert.Equal(accepted, answer.JsonBody.GetProperty("accepted").GetInt32());
    }
}
