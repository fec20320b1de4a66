using PushApi.Tests.Hosting;

namespace PushApi.Tests.Requests;

public class RoomsAndItemsTests
{
    [Fact]
    public async Task Every_item_reaches_every_room_byte_for_byte()
    {
        await using var api = await ApiHost.StartAsync();
        api.Backplane.Answer = channel => Task.FromResult<int?>(channel.EndsWith('b') ? 2 : 5);
        (await Post(api, """ { "items" : [ {"a" : 1.0} ,"\u00e9", [ ] ] , "rooms":["a","b","\u9ed8认"] } """)).IsAccepted(9, nodes: 2);
        foreach (var room in new[] { "a", "b", "默认" })
            Assert.Equal(["{\"a\" : 1.0}", "\"\\u00e9\"", "[ ]"], api.Backplane.Texts("push:room:" + room));
        Assert.Equal(3, api.Backplane.Published.Length);
    }

    [Theory]
    [InlineData("""[]""", null, null)]
    [InlineData("""1""", null, null)]
    [InlineData("""{}""", "rooms", "missing")]
    [InlineData("""{"rooms":["a"]}""", "items", "missing")]
    [InlineData("""{"items":[1]}""", "rooms", "missing")]
    [InlineData("""{"rooms":["a"],"items":[1],"rooms":["b"]}""", "rooms", "twice")]
    [InlineData("""{"rooms":["a"],"items":[1],"items":[2]}""", "items", "twice")]
    [InlineData("""{"rooms":["a"],"items":[1],"itmes":[2]}""", null, "'itmes'")]
    [InlineData("""{"rooms":["a"],"items":[1],"\ud800":[2]}""", null, "property")]
    [InlineData("""{"rooms":"a","items":[1]}""", "rooms", "array")]
    [InlineData("""{"rooms":["a"],"items":{"x":1}}""", "items", "array")]
    [InlineData("""{"rooms":["a"],"items":null}""", "items", "array")]
    [InlineData("""{"rooms":[],"items":[1]}""", "rooms", "empty")]
    [InlineData("""{"rooms":["a"],"items":[1]""", null, "byte")]
    [InlineData("""{"rooms":["a"],"items":[1,]}""", null, "byte")]
    [InlineData("""{"rooms":["a"],"items":[1]} x""", null, "byte")]
    [InlineData("""{"rooms":["a"],"items":[1]}{}""", null, "byte")]
    public async Task A_body_of_the_wrong_shape_is_refused_with_the_reason(string body, string? field, string? says)
    {
        await using var api = await ApiHost.StartAsync();
        var detail = (await Post(api, body)).IsProblem(400, "bad-body", field: field);
        Assert.Contains(says ?? "object", detail);
        Assert.Empty(api.Backplane.Published);
    }

    [Theory]
    [InlineData("""["a",1]""", 1)]
    [InlineData("""["a",null]""", 1)]
    [InlineData("""["a",["b"]]""", 1)]
    [InlineData("""[""]""", 0)]
    [InlineData("""["a/b"]""", 0)]
    [InlineData("""[".."]""", 0)]
    [InlineData("""["a\u0000"]""", 0)]
    [InlineData("""["a","b","\udc00"]""", 2)]
    [InlineData("""["a","b","a"]""", 2)]
    [InlineData("""["a","\u0061"]""", 1)]
    public async Task A_bad_or_repeated_room_is_named(string rooms, int item)
    {
        await using var api = await ApiHost.StartAsync();
        (await Post(api, $$"""{"rooms":{{rooms}},"items":[1]}""")).IsProblem(400, "bad-room", field: "rooms", item: item);
        Assert.Empty(api.Backplane.Published);
    }

    [Fact]
    public async Task A_room_of_128_bytes_passes_and_one_of_129_is_named()
    {
        await using var api = await ApiHost.StartAsync();
        var room = string.Concat(Enumerable.Repeat("默", 42)) + "ab";
        (await Post(api, $$"""{"rooms":["{{room}}"],"items":[1]}""")).IsAccepted(1);
        Assert.Contains("129 bytes", (await Post(api, $$"""{"rooms":["a","{{room}}c"],"items":[1]}""")).IsProblem(400, "bad-room", field: "rooms", item: 1));
    }

    [Fact]
    public async Task Empty_items_are_no_messages() =>
        await WithApi(async api => (await Post(api, """{"rooms":["a"],"items":[]}""")).IsProblem(400, "no-messages", field: "items"));

    [Fact]
    public async Task A_hundred_rooms_pass_and_one_more_is_413() => await WithApi(async api =>
    {
        (await Post(api, $$"""{"rooms":[{{Numbers(100)}}],"items":[1,2]}""")).IsAccepted(200);
        (await Post(api, $$"""{"rooms":[{{Numbers(101)}}],"items":[1,2]}""")).IsProblem(413, "too-many-rooms", field: "rooms", limit: 100);
    });

    [Fact]
    public async Task A_thousand_items_pass_and_one_more_is_413() => await WithApi(async api =>
    {
        (await Post(api, $$"""{"rooms":["a"],"items":[{{Numbers(1000)}}]}""")).IsAccepted(1000);
        (await Post(api, $$"""{"rooms":["a"],"items":[{{Numbers(1001)}}]}""")).IsProblem(413, "too-many-messages", field: "items", limit: 1000);
    });

    [Fact]
    public async Task One_unconfirmed_room_makes_the_request_unconfirmed() => await WithApi(async api =>
    {
        api.Backplane.Answer = channel => Task.FromResult<int?>(channel.EndsWith('b') ? null : 1);
        (await Post(api, """{"rooms":["a","b"],"items":[1]}""")).IsProblem(503, "not-confirmed");
    });

    private static string Numbers(int count) => string.Join(',', Enumerable.Range(0, count).Select(i => $"\"{i}\""));

    private static Task<Answer> Post(ApiHost api, string body) => api.PostAsync("/v1/messages", "application/json", body);

    private static async Task WithApi(Func<ApiHost, Task> test)
    {
        await using var api = await ApiHost.StartAsync();
        await test(api);
    }
}
