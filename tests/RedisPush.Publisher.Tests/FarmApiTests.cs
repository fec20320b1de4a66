using System.Net;

namespace RedisPush.Publisher.Tests;

/// <summary>Counts and orders, on an API that answers what the test wants.</summary>
public sealed class FarmApiTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Counts_are_read_page_by_page()
    {
        await using var api = await StubApi.StartAsync(
            StubApi.Answer(200, """{"room":"a b","online":12,"users":7,"usersApproximate":true,"nodes":2}"""),
            StubApi.Answer(200, """{"rooms":[{"room":"a","online":3,"nodes":1}],"approximate":true}"""),
            StubApi.Answer(200, """{"rooms":[],"next":"abc"}"""),
            StubApi.Answer(200, """{"user":"alice","connections":2,"nodes":1,"ban":{"until":9,"reason":"r"},"mutes":[{"room":"a","until":8}]}"""),
            StubApi.Answer(200, """{"nodes":[{"id":"x","node":"n1","started":"2026-11-22T05:00:00+00:00","connections":5,"rooms":4,"users":3}]}"""),
            StubApi.Answer(200, """{"nodes":2,"connections":5,"users":3,"nodeRooms":4,"messagesReceived":1,"deliveries":9}"""));
        using var farm = Farm(api);
        var room = await farm.GetRoomAsync("a b", Cancellation);
        Assert.Equal(("a b", 12, 7, true, 2), (room.Room, room.Online, room.Users, room.UsersApproximate, room.Nodes));
        var top = await farm.GetTopRoomsAsync(5, "x&", Cancellation);
        Assert.Equal(("a", 3, null, true, null), (top.Rooms[0].Room, top.Rooms[0].Online, top.Rooms[0].Users, top.Approximate, top.Next));
        Assert.Equal("abc", (await farm.GetRoomsAsync(cursor: "c=", cancellationToken: Cancellation)).Next);
        var user = await farm.GetUserAsync("alice", Cancellation);
        Assert.Equal(("alice", 2, 1, false), (user.User, user.Connections, user.Nodes, user.RestrictionsUnknown));
        Assert.Equal(new UserRestriction { UntilUnixSeconds = 9, Reason = "r" }, user.Ban);
        Assert.Equal([new UserRestriction { UntilUnixSeconds = 8, Room = "a" }], user.Mutes);
        Assert.Equal(new DateTimeOffset(2026, 11, 22, 5, 0, 0, TimeSpan.Zero), Assert.Single((await farm.GetNodesAsync(cancellationToken: Cancellation)).Nodes).Started);
        Assert.Equal((2, 9), ((await farm.GetStatsAsync(Cancellation)) is var stats ? (stats.Nodes, stats.Deliveries) : default));
        Assert.Equal(
            ["GET /v1/rooms/a%20b", "GET /v1/rooms?top=5&prefix=x%26", "GET /v1/rooms?limit=100&cursor=c%3D", "GET /v1/users/alice", "GET /v1/nodes?limit=100", "GET /v1/stats"],
            api.Calls);
        Assert.All(api.Authorizations, key => Assert.Equal("Bearer key", key));
    }

    [Fact]
    public async Task A_user_without_restrictions_has_an_empty_list()
    {
        await using var api = await StubApi.StartAsync(StubApi.Answer(200, """{"user":"alice","connections":0,"nodes":0,"restrictionsUnknown":true}"""));
        using var farm = Farm(api);
        var user = await farm.GetUserAsync("alice", Cancellation);
        Assert.Equal((null, true), (user.Ban, user.RestrictionsUnknown));
        Assert.Empty(user.Mutes);
    }

    [Fact]
    public async Task Kept_messages_are_read_page_by_page_and_deleted()
    {
        var deep = new string('[', 64) + new string(']', 64);
        var messages = $$$"""
            [{"offset":8,"published_at":"2026-11-22T08:00:00.25Z","item":{ "n":1 }},{"offset":9,"published_at":"2026-11-22T08:00:00Z","item":{{{deep}}}},{"offset":10,"published_at":"2026-11-22T08:00:00Z","item":null}]
            """;
        await using var api = await StubApi.StartAsync(
            StubApi.Answer(200, $$"""{"room":"a","epoch":"e-1","offset":10,"last":12,"floor":2,"recovered":true,"messages":{{messages}},"more":true}"""),
            StubApi.Answer(200, """{"room":"a","epoch":"e-1","offset":2,"last":12,"floor":2,"messages":[],"more":false}"""),
            StubApi.Answer(204, ""), StubApi.Problem(HttpStatusCode.NotFound, "no-history"), StubApi.Answer(200, ""));
        using var farm = Farm(api);
        var page = await farm.GetMessagesAsync("a", new RoomPosition("e-1", 7), cancellationToken: Cancellation);
        Assert.Equal(("a", new RoomPosition("e-1", 10), 12, 2, true, true), (page.Room, page.End, page.Last, page.Floor, page.Recovered, page.More));
        Assert.Equal([8, 9, 10], page.Messages.Select(message => message.Offset));
        Assert.Equal(["{ \"n\":1 }", deep, "null"], page.Messages.Select(message => message.Item.GetRawText()));
        Assert.Equal(new DateTimeOffset(2026, 11, 22, 8, 0, 0, 250, TimeSpan.Zero), page.Messages[0].PublishedAt);
        var last = await farm.GetMessagesAsync("a b", limit: 5, reverse: true, cancellationToken: Cancellation);
        Assert.Equal((null, false), (last.Recovered, last.More));
        await farm.DeleteMessagesAsync("a", Cancellation);
        var none = await Assert.ThrowsAsync<FarmApiException>(() => farm.DeleteMessagesAsync("a", Cancellation));
        Assert.Equal("/problems/no-history", none.Problem!.Type);
        await Assert.ThrowsAsync<FarmApiException>(() => farm.DeleteMessagesAsync("a", Cancellation));
        Assert.Equal(
            ["GET /v1/rooms/a/messages?since=e-1.7&limit=100", "GET /v1/rooms/a%20b/messages?limit=5&reverse=true", .. Enumerable.Repeat("DELETE /v1/rooms/a/messages", 3)],
            api.Calls);
    }

    [Fact]
    public async Task Orders_have_their_routes_and_bodies()
    {
        await using var api = await StubApi.StartAsync(StubApi.Answer(200, """{"nodes":2,"until":1795176601}"""));
        using var farm = Farm(api);
        Assert.Equal(new OrderResult { Nodes = 2, UntilUnixSeconds = 1795176601 }, await farm.BanAsync("alice", TimeSpan.FromMinutes(10), "spam", Cancellation));
        await farm.UnbanAsync("alice", Cancellation);
        await farm.MuteAsync("alice", TimeSpan.FromSeconds(5), "demo", cancellationToken: Cancellation);
        await farm.UnmuteAsync("alice", "demo", Cancellation);
        await farm.DisconnectAsync("alice", cancellationToken: Cancellation);
        await farm.DisconnectAsync("alice", "bye", Cancellation);
        await farm.RemoveAsync("demo", "alice", Cancellation);
        Assert.Equal(
            ["PUT /v1/users/alice/ban", "DELETE /v1/users/alice/ban", "PUT /v1/users/alice/mute", "DELETE /v1/users/alice/mute",
             "DELETE /v1/users/alice/connections", "DELETE /v1/users/alice/connections", "DELETE /v1/rooms/demo/members/alice"],
            api.Calls);
        Assert.Equal(
            ["""{"seconds":600,"reason":"spam"}""", "", """{"seconds":5,"room":"demo"}""", """{"room":"demo"}""", "", """{"reason":"bye"}""", ""],
            api.Requests.Select(request => request.Body));
    }

    [Fact]
    public async Task What_may_pass_is_retried_and_what_cannot_is_told()
    {
        await using var api = await StubApi.StartAsync(
            StubApi.Cut, StubApi.Problem(HttpStatusCode.ServiceUnavailable, "not-confirmed"), StubApi.Answer(200, """{"nodes":1}"""),
            StubApi.Problem(HttpStatusCode.Forbidden, "forbidden-scope"), StubApi.Answer(200, "<html>"), StubApi.Problem(HttpStatusCode.NotFound, "not-found"));
        using var farm = Farm(api);
        Assert.Equal(1, (await farm.BanAsync("alice", TimeSpan.FromMinutes(10), cancellationToken: Cancellation)).Nodes);
        var forbidden = await Assert.ThrowsAsync<FarmApiException>(() => farm.BanAsync("alice", TimeSpan.FromMinutes(10), cancellationToken: Cancellation));
        Assert.Equal(("/problems/forbidden-scope", false), (forbidden.Problem!.Type, forbidden.MayBeDone));
        await Assert.ThrowsAsync<FarmApiException>(() => farm.GetStatsAsync(Cancellation));
        Assert.Equal(HttpStatusCode.NotFound, (await Assert.ThrowsAsync<FarmApiException>(() => farm.GetStatsAsync(Cancellation))).Problem!.Status);
        await Assert.ThrowsAsync<ArgumentException>(() => farm.GetRoomAsync("a/b", Cancellation));
        await Assert.ThrowsAsync<ArgumentException>(() => farm.RemoveAsync("demo", "..", Cancellation));
        Assert.Equal(6, api.Calls.Count);
    }

    private static FarmApi Farm(StubApi api) =>
        new(new HttpPublisherOptions
        {
            Url = api.Url,
            ApiKey = "key",
            MinDelay = TimeSpan.FromMilliseconds(1),
            MaxDelay = TimeSpan.FromMilliseconds(10),
            AttemptTimeout = RetryTests.Patience,
        });
}
