using RedisPush.Client.Tests.Support;

namespace RedisPush.Client.Tests;

/// <summary>Messages to the user, and the number of a room's members.</summary>
public sealed class UserAndOnlineTests
{
    [Fact]
    public async Task Messages_to_the_user_reach_their_subscriptions_and_no_other()
    {
        await using var server = StubServer.StartJoining(async (connection, number) =>
        {
            if (number == 0)
                return;
            await connection.SendAsync("""{"type":"PUSH","data":{"user":"alice","items":["for alice",2]}}""");
            await connection.SendAsync("""{"type":"PUSH","data":{"user":7,"items":["for nobody"]}}""");
            await connection.SendAsync("""{"type":"GAP","data":{"user":"alice","missed":3,"reason":"slow"}}""");
            await connection.SendAsync("""{"type":"PUSH","data":{"items":["for all"]}}""");
            await connection.SendAsync("""{"type":"PUSH","data":{"room":"demo","items":["for the room"]}}""");
            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url);
        await using var user = new Reading(client.SubscribeUserMessages());
        await using var broadcasts = new Reading(client.SubscribeBroadcasts());
        await using var room = new Reading(await client.JoinedAsync("demo"));
        foreach (var reading in new[] { user, broadcasts, room })
            Assert.Equal((null, GapReason.Reconnected), await reading.GapAsync());
        Assert.Equal("\"for alice\"", await user.MessageAsync());
        Assert.Equal("2", await user.MessageAsync());
        foreach (var reading in new[] { user, broadcasts, room })
            Assert.Equal((null, GapReason.Unreadable), await reading.GapAsync());
        Assert.Equal((3, GapReason.Slow), await user.GapAsync());
        Assert.Equal("\"for all\"", await broadcasts.MessageAsync());
        Assert.Equal("\"for the room\"", await room.MessageAsync());
        await client.DisposeAsync();
        Assert.Null(await user.NextAsync());
    }

    [Fact]
    public async Task The_number_of_members_comes_with_JOINED_and_with_messages_when_it_has_changed()
    {
        await using var server = StubServer.Start(async (connection, _) =>
        {
            await connection.AcceptAsync();
            Assert.True((await connection.AnswerJoinAsync(""","online":3""")).GetProperty("online").GetBoolean());
            await connection.SendAsync("""{"type":"PUSH","data":{"room":"demo","online":12,"items":["a"]}}""");
            await connection.SendAsync("""{"type":"PUSH","data":{"room":"demo","online":-1,"items":["b"]}}""");
            Assert.False((await connection.AnswerJoinAsync(""","online":5""")).TryGetProperty("online", out var _));
            await connection.SendAsync("""{"type":"PUSH","data":{"room":"other","online":6,"items":["c"]}}""");
            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url);
        await using var demo = await client.JoinedAsync("demo", new JoinOptions { Online = true });
        await using var reading = new Reading(demo);
        Assert.Equal(3, Assert.IsType<PushOnline>(await reading.NextAsync()).Count);
        Assert.Equal("\"a\"", await reading.MessageAsync());
        Assert.Equal("12 online", Assert.IsType<PushOnline>(await reading.NextAsync()).ToString());
        Assert.Equal("\"b\"", await reading.MessageAsync());
        Assert.Equal(12, demo.Online);
        await using var other = await client.JoinedAsync("other");
        await using var otherReading = new Reading(other);
        Assert.Equal("\"c\"", await otherReading.MessageAsync());
        Assert.Null(other.Online);
    }

    [Theory]
    [InlineData("removed")]
    [InlineData("forbidden")]
    public async Task A_membership_that_waits_for_Redis_can_be_ended_with_a_reason(string reason)
    {
        await using var server = StubServer.Start(async (connection, _) =>
        {
            await connection.AcceptAsync();
            await connection.ErrorAsync(await connection.NextAsync(), "backplane_away");
            await connection.SendAsync($$$"""{"type":"LEFT","data":{"room":"demo","reason":"{{{reason}}}"}}""");
            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url);
        var refused = await Assert.ThrowsAsync<JoinRefusedException>(() => client.JoinedAsync("demo"));
        Assert.Equal(reason, refused.Code);
    }
}
