using RedisPush.Client.Tests.Support;
using RedisPush.Publisher;

namespace RedisPush.Client.Tests;

/// <summary>What users send and are sent, and what operators do to them, with a real farm that wants tokens.</summary>
public sealed class UserFarmTests(TokenFarmTests.Fixture fixture) : IClassFixture<TokenFarmTests.Fixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_a_client_sends_reaches_the_room_with_its_users_name()
    {
        await using var alice = User("alice", "chat");
        await using var bob = User("bob", "chat");
        await using var reading = new Reading(await bob.JoinedAsync("chat"));
        await alice.SendAsync("chat", """{"n": 1.50}"""u8.ToArray(), Cancellation);
        await Task.WhenAll(Enumerable.Range(0, 12).Select(n => alice.SendTextAsync("chat", $"{n}", Cancellation)));
        Assert.Equal("""{"from":"alice","item":{"n": 1.50}}""", await reading.MessageAsync());
        for (var n = 0; n < 12; n++)
            Assert.Equal($$"""{"from":"alice","item":"{{n}}"}""", await reading.MessageAsync());
        var forbidden = await Assert.ThrowsAsync<SendException>(() => alice.SendTextAsync("other", "hi", Cancellation));
        Assert.Equal((SendErrorCode.Forbidden, false), (forbidden.Code, forbidden.MayBeSent));
    }

    [Fact]
    public async Task Messages_to_a_user_reach_all_devices()
    {
        await using var phone = User("carol", "carols");
        await using var laptop = User("carol", "carols");
        await using var onPhone = new Reading(phone.SubscribeUserMessages());
        await using var onLaptop = new Reading(laptop.SubscribeUserMessages());
        await using var one = await phone.JoinedAsync("carols");
        await using var other = await laptop.JoinedAsync("carols");
        Assert.Equal(new PublishResult(1, 1), await fixture.Publisher.PublishToUserAsync("carol", PushItem.Text("for carol"), Cancellation));
        Assert.Equal("\"for carol\"", await onPhone.MessageAsync());
        Assert.Equal("\"for carol\"", await onLaptop.MessageAsync());
    }

    [Fact]
    public async Task An_operator_mutes_removes_disconnects_and_bans()
    {
        using var farm = new FarmApi(new HttpPublisherOptions { Url = new Uri(fixture.Farm.ApiUrl) });
        await using var client = User("dave", "daves");
        await using var room = new Reading(await client.JoinedAsync("daves"));
        Assert.NotNull((await farm.MuteAsync("dave", TimeSpan.FromMinutes(1), "daves", "spam", Cancellation)).UntilUnixSeconds);
        await Eventually.HoldsAsync(async () => await CodeAsync(client) == SendErrorCode.Muted, "dave is muted");
        await farm.UnmuteAsync("dave", "daves", Cancellation);
        await Eventually.HoldsAsync(async () => await CodeAsync(client) is null or SendErrorCode.SendLimited, "dave is not muted any more");
        await farm.RemoveAsync("daves", "dave", Cancellation);
        Assert.Equal("removed", (await Assert.ThrowsAsync<JoinRefusedException>(async () => await EndAsync(room))).Code);
        await using var again = new Reading(await client.JoinedAsync("daves"));
        await farm.DisconnectAsync("dave", "sign in again", Cancellation);
        var refused = await Assert.ThrowsAsync<ConnectionRefusedException>(async () => await EndAsync(again));
        Assert.Equal((4009, "sign in again"), (refused.Code, refused.Reason));
        await farm.BanAsync("dave", TimeSpan.FromMinutes(1), cancellationToken: Cancellation);
        await Eventually.HoldsAsync(async () => await RefusalAsync(client) == 4003, "dave is banned");
        await farm.UnbanAsync("dave", Cancellation);
        await Eventually.HoldsAsync(async () => await RefusalAsync(client) is null, "dave is not banned any more");
    }

    private RedisPushClient User(string name, string room) => Clients.Of(fixture.Url, options => options.Token = Jwt.For(name, 600, room));

    private static async Task EndAsync(Reading reading)
    {
        while (await reading.NextAsync() is not null)
        {
        }
    }

    private static async Task<string?> CodeAsync(RedisPushClient client)
    {
        try
        {
            await client.SendTextAsync("daves", "hi", Cancellation);
            return null;
        }
        catch (SendException e)
        {
            return e.Code;
        }
    }

    private static async Task<int?> RefusalAsync(RedisPushClient client)
    {
        try
        {
            await using var room = await client.JoinedAsync("daves");
            return null;
        }
        catch (ConnectionRefusedException e)
        {
            return e.Code;
        }
    }
}
