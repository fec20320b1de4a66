using RedisPush.Client.Tests.Support;
using RedisPush.Publisher;
using TestSupport.Processes;

namespace RedisPush.Client.Tests;

/// <summary>Tokens, with a real farm that wants them.</summary>
public sealed class TokenFarmTests(TokenFarmTests.Fixture fixture) : IClassFixture<TokenFarmTests.Fixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_token_is_renewed_in_place_before_it_expires()
    {
        var issued = 0;
        // The first one lives less than the minute of the warning: the farm says at once that it expires. The client renews it in the first half
        // of that time, and the rest is for a busy machine.
        await using var client = Clients.Of(fixture.Url, options =>
            options.TokenProvider = _ => ValueTask.FromResult<string?>(Jwt.For("alice", ++issued == 1 ? 30 : 600, "demo")));
        var ended = client.WhenAsync(change => change.State != ConnectionState.Connected && change.Previous == ConnectionState.Connected);
        await using var room = new Reading(await client.JoinedAsync("demo"));
        await Eventually.HoldsAsync(() => Volatile.Read(ref issued) == 2, "a second token");
        // The farm answers in order: AUTHED comes before this.
        await Assert.ThrowsAsync<JoinRefusedException>(() => client.JoinedAsync("other"));
        await fixture.Publisher.PublishAsync("demo", PushItem.Text("still here"), Cancellation);
        Assert.Equal("\"still here\"", await room.MessageAsync());
        Assert.False(ended.IsCompleted);
        Assert.Equal(2, issued);
    }

    [Fact]
    public async Task Another_token_opens_one_room_and_closes_another()
    {
        string[] rooms = ["lobby-*"];
        await using var client = Clients.Of(fixture.Url, options => options.TokenProvider = _ => ValueTask.FromResult<string?>(Jwt.For("bob", 600, rooms)));
        await using var lobby = new Reading(await client.JoinedAsync("lobby-1"));
        Assert.Equal("forbidden", (await Assert.ThrowsAsync<JoinRefusedException>(() => client.JoinedAsync("vip"))).Code);
        rooms = ["vip"];
        await Eventually.CompletesAsync(client.RefreshTokenAsync(Cancellation), "AUTHED");
        Assert.Equal("forbidden", (await Assert.ThrowsAsync<JoinRefusedException>(lobby.NextAsync)).Code);
        await using var vip = await client.JoinedAsync("vip");
    }

    [Fact]
    public async Task A_token_of_another_user_is_refused_and_changes_nothing()
    {
        var user = "carol";
        await using var client = Clients.Of(fixture.Url, options => options.TokenProvider = _ => ValueTask.FromResult<string?>(Jwt.For(user, 600, "demo")));
        await using var room = new Reading(await client.JoinedAsync("demo"));
        user = "mallory";
        Assert.Equal("forbidden", (await Assert.ThrowsAsync<TokenRefusedException>(() => client.RefreshTokenAsync(Cancellation))).Code);
        await fixture.Publisher.PublishAsync("demo", PushItem.Text("for carol"), Cancellation);
        Assert.Equal("\"for carol\"", await room.MessageAsync());
    }

    [Fact]
    public async Task A_wrong_token_is_refused_for_good()
    {
        await using var client = Clients.Of(fixture.Url, options => options.Token = Jwt.For("dave", 600, "demo") + "x");
        var refused = await Assert.ThrowsAsync<ConnectionRefusedException>(() => client.JoinedAsync("demo"));
        Assert.Equal(4001, refused.Code);
        Assert.StartsWith("token invalid", refused.Reason, StringComparison.Ordinal);
        await using var late = Clients.Of(fixture.Url, options => options.Token = Jwt.For("dave", -600, "demo"));
        Assert.Equal("token expired", (await Assert.ThrowsAsync<ConnectionRefusedException>(() => late.JoinedAsync("demo"))).Reason);
    }

    public sealed class Fixture : IAsyncLifetime
    {
        private ProgramProcess? _farm;

        internal ProgramProcess Farm => _farm!;

        internal HttpPublisher Publisher { get; private set; } = null!;

        internal Uri Url => new(Farm.WebSocketUrl);

        public async ValueTask InitializeAsync()
        {
            _farm = await ProgramProcess.StartFarmAsync(Jwt.Settings);
            Publisher = new HttpPublisher(new HttpPublisherOptions { Url = new Uri(Farm.ApiUrl) });
        }

        public async ValueTask DisposeAsync()
        {
            Publisher?.Dispose();
            if (_farm is not null)
                await _farm.DisposeAsync();
        }
    }
}
