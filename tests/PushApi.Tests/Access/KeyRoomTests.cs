using System.Text;
using PushApi.Tests.Hosting;

namespace PushApi.Tests.Access;

/// <summary>A key reaches the rooms of its patterns and no others.</summary>
public sealed class KeyRoomTests
{
    private const string Json = "application/json";
    private const string Form = "application/x-www-form-urlencoded";

    [Theory]
    [InlineData("news", true)]
    [InlineData("shop-", true)]
    [InlineData("shop-1", true)]
    [InlineData("%E9%BB%98%E8%AE%A41", true)]
    [InlineData("News", false)]
    [InlineData("news1", false)]
    [InlineData("shop", false)]
    [InlineData("*", false)]
    [InlineData("shop-*", true)]
    public async Task A_pattern_is_a_name_or_the_beginning_of_one(string room, bool isAllowed)
    {
        var key = new TestKey("a", Rooms: "news, shop-*,默认*");
        await using var api = await ApiHost.StartAsync(TestKey.Settings(key));
        foreach (var (route, type, body) in new[]
        {
            ($"/v1/rooms/{room}/messages", Json, "1"),
            ("/v1/messages", Json, $$"""{"rooms":["{{Uri.UnescapeDataString(room)}}"],"items":[1]}"""),
            ("/push/room", Form, $"room={room}&items=[1]"),
        })
        {
            var answer = await api.PostAsync(route, type, Encoding.UTF8.GetBytes(body), key.Bearer);
            if (isAllowed)
                answer.IsAccepted(1);
            else
                Assert.Contains($"'{Uri.UnescapeDataString(room)}'", answer.IsForbidden());
        }
        Assert.Equal(isAllowed ? 3 : 0, api.Backplane.Published.Length);
    }

    [Fact]
    public async Task One_forbidden_room_of_several_keeps_all_from_getting_the_messages()
    {
        var key = new TestKey("a", Rooms: "a,b");
        await using var api = await ApiHost.StartAsync(TestKey.Settings(key));
        var answer = await api.PostAsync("/v1/messages", Json, """{"rooms":["a","b","c"],"items":[1]}"""u8.ToArray(), key.Bearer);
        Assert.EndsWith("Nothing was published.", answer.IsProblem(403, "forbidden-room", field: "rooms", item: 2));
        Assert.Empty(api.Backplane.Published);
        (await api.PostAsync("/v1/messages", Json, """{"rooms":["b","a"],"items":[1]}"""u8.ToArray(), key.Bearer)).IsAccepted(2);
    }

    [Theory]
    [InlineData("/v1/broadcast", Json, "1")]
    [InlineData("/push/all", Form, "items=[1]")]
    public async Task A_broadcast_needs_a_key_for_all_rooms(string route, string type, string body)
    {
        var (some, all) = (new TestKey("some", Rooms: "a*"), new TestKey("all", Rooms: "x,*"));
        await using var api = await ApiHost.StartAsync(TestKey.Settings(some, all));
        var bytes = Encoding.UTF8.GetBytes(body);
        (await api.PostAsync(route, type, bytes, some.Bearer)).IsProblem(403, "forbidden-room");
        Assert.Empty(api.Backplane.Published);
        (await api.PostAsync(route, type, bytes, all.Bearer)).IsAccepted(1);
    }

    [Fact]
    public async Task An_idempotency_key_belongs_to_the_publisher_that_used_it()
    {
        var (a, b) = (new TestKey("a"), new TestKey("b"));
        await using var api = await ApiHost.StartAsync(TestKey.Settings(a, b));
        foreach (var key in new[] { a, b })
            (await api.PostAsync("/v1/broadcast", Json, "1"u8.ToArray(), key.Bearer, ("Idempotency-Key", "order-1"))).IsAccepted(1);
        Assert.Equal(["order-1@a", "order-1@b"], api.Backplane.Keys.Select(key => key!.Name));
    }
}

internal static class ForbiddenRooms
{
    /// <summary>Asserts a refusal for a room, wherever the request names it.</summary>
    public static string IsForbidden(this Answer answer)
    {
        Assert.Equal((403, "/problems/forbidden-room"), ((int)answer.Status, answer.Json.GetProperty("type").GetString()));
        return answer.Json.GetProperty("detail").GetString()!;
    }
}
