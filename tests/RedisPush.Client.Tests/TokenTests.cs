using System.Text.Json;
using RedisPush.Client.Tests.Support;

namespace RedisPush.Client.Tests;

/// <summary>How the client gets its tokens, gives them to the server, and renews them.</summary>
public sealed class TokenTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_fixed_token_is_used_until_the_server_refuses_it()
    {
        await using var server = StubServer.StartJoining(async (connection, number) =>
        {
            Assert.Equal(("/ws", "a.b.c"), (connection.Target, connection.Token));
            if (number == 0)
                return;
            await connection.SendAsync("""{"type":"EXPIRING","data":{"in":0}}""");
            await connection.CloseAsync(4001, "token expired");
        });
        await using var client = Clients.Of(server.Url, options => options.Token = "a.b.c");
        await using var room = new Reading(await client.JoinedAsync("demo"));
        Assert.Equal((null, GapReason.Reconnected), await room.GapAsync());
        Assert.Equal("token expired", (await Assert.ThrowsAsync<ConnectionRefusedException>(room.NextAsync)).Reason);
        await Assert.ThrowsAsync<InvalidOperationException>(() => client.RefreshTokenAsync(Cancellation));
    }

    [Fact]
    public async Task A_refused_handshake_gets_another_token_once()
    {
        await using var server = StubServer.Start(async (connection, number) =>
        {
            await connection.RefuseAsync("HTTP/1.1 401 Unauthorized");
            Assert.Equal($"t{number + 1}", connection.Token);
        });
        var issued = 0;
        await using var client = Clients.Of(server.Url, options => options.TokenProvider = _ => ValueTask.FromResult<string?>($"t{++issued}"));
        await Assert.ThrowsAsync<ConnectionRefusedException>(() => client.ConnectAsync(Cancellation));
        Assert.Equal(2, issued);
    }

    [Theory]
    [InlineData("bad_token", true)]
    [InlineData("too_many_requests", true)]
    [InlineData("forbidden", false)]
    [InlineData("auth_off", false)]
    public async Task An_expiring_token_is_renewed_until_the_server_takes_one(string code, bool again)
    {
        await using var server = StubServer.StartJoining(async (connection, _) =>
        {
            await connection.SendAsync("""{"type":"EXPIRING","data":{"in":0}}""");
            await connection.ErrorAsync(await NextAuthAsync(connection, "t2"), code);
            if (again)
                await connection.AuthedAsync(await NextAuthAsync(connection, "t3"));
            await connection.SendAsync("""{"type":"PUSH","data":{"room":"demo","items":[1]}}""");
            // Nothing but PINGs follows.
            await connection.StayAsync();
        });
        var issued = 0;
        var errors = new List<PushError>();
        await using var client = Clients.Of(server.Url, options => options.TokenProvider = _ => ValueTask.FromResult<string?>($"t{++issued}"));
        client.ErrorReceived += errors.Add;
        await using var room = new Reading(await client.JoinedAsync("demo"));
        Assert.Equal("1", await room.MessageAsync());
        Assert.Empty(errors);
    }

    [Fact]
    public async Task Another_token_changes_what_the_client_may_do_in_place()
    {
        await using var server = StubServer.StartJoining(async (connection, _) =>
        {
            await connection.ErrorAsync(await connection.NextAsync(), "forbidden");
            var auth = await NextAuthAsync(connection, "t2");
            await connection.SendAsync("""{"type":"LEFT","data":{"room":"demo","reason":"forbidden"}}""");
            await connection.AuthedAsync(auth);
            await connection.AnswerJoinAsync();
            await connection.ErrorAsync(await NextAuthAsync(connection, "t3"), "bad_token");
            await connection.SendAsync("""{"type":"PUSH","data":{"room":"vip","items":[1]}}""");
            await connection.StayAsync();
        });
        var issued = 0;
        await using var client = Clients.Of(server.Url, options => options.TokenProvider = _ => ValueTask.FromResult<string?>($"t{++issued}"));
        await client.RefreshTokenAsync(Cancellation);
        Assert.Equal((0, ConnectionState.Disconnected), (issued, client.State));
        await using var room = new Reading(await client.JoinedAsync("demo"));
        Assert.Equal("forbidden", (await Assert.ThrowsAsync<JoinRefusedException>(() => client.JoinAsync("vip", cancellationToken: Cancellation))).Code);
        await Eventually.CompletesAsync(client.RefreshTokenAsync(Cancellation), "AUTHED");
        Assert.Equal("forbidden", (await Assert.ThrowsAsync<JoinRefusedException>(room.NextAsync)).Code);
        await using var vip = new Reading(await client.JoinedAsync("vip"));
        var refused = await Assert.ThrowsAsync<TokenRefusedException>(() => client.RefreshTokenAsync(Cancellation));
        Assert.Equal(("bad_token", "The server refused the token (bad_token): not now"), (refused.Code, refused.Message));
        Assert.Equal("1", await vip.MessageAsync());
    }

    [Fact]
    public async Task A_token_that_was_asked_for_while_the_connection_broke_is_the_next_ones()
    {
        await using var server = StubServer.StartJoining(async (connection, number) =>
        {
            if (number == 0)
            {
                await NextAuthAsync(connection, "t2");
                return;
            }

            Assert.Equal("t2", connection.Token);
            await connection.StayAsync();
        });
        var issued = 0;
        await using var client = Clients.Of(server.Url, options => options.TokenProvider = _ => ValueTask.FromResult<string?>($"t{++issued}"));
        await using var room = new Reading(await client.JoinedAsync("demo"));
        await Eventually.CompletesAsync(client.RefreshTokenAsync(Cancellation), "the end of the connection");
        Assert.Equal((null, GapReason.Reconnected), await room.GapAsync());
    }

    [Fact]
    public async Task A_refused_token_is_replaced_once()
    {
        await using var server = StubServer.Start(async (connection, number) =>
        {
            await connection.AcceptAsync();
            Assert.Equal($"t{(number == 0 ? 1 : 2)}+&", connection.Token);
            await connection.CloseAsync(4001, $"token {number} invalid");
        });
        var issued = 0;
        await using var client = Clients.Of(server.Url, options => options.TokenProvider = _ => ValueTask.FromResult<string?>($"t{++issued}+&"));
        await using var broadcasts = new Reading(client.SubscribeBroadcasts());
        Assert.Equal((null, GapReason.Reconnected), await broadcasts.GapAsync());
        var refused = await Assert.ThrowsAsync<ConnectionRefusedException>(broadcasts.NextAsync);
        Assert.Equal((4001, "token 1 invalid"), (refused.Code, refused.Reason));
        Assert.Equal(2, issued);
    }

    [Fact]
    public async Task A_token_is_kept_over_reconnects_and_replaced_when_it_expires()
    {
        await using var server = StubServer.StartJoining(async (connection, number) =>
        {
            Assert.Equal(("/ws?a=1", "t1"), (connection.Target, connection.Token));
            if (number == 0)
                return;
            await connection.SendAsync("""{"type":"EXPIRING","data":{"in":0}}""");
            var auth = await connection.NextAsync();
            Assert.Equal(("AUTH", "t2"), (auth.GetProperty("type").GetString(), auth.GetProperty("data").GetProperty("token").GetString()));
            await connection.SendAsync("""{"type":"PUSH","data":{"room":"demo","items":[1]}}""");
            await connection.StayAsync();
        });
        var issued = 0;
        await using var client = Clients.Of(new Uri($"{server.Url}?a=1"), options => options.TokenProvider = _ => ValueTask.FromResult<string?>($"t{++issued}"));
        await using var room = new Reading(await client.JoinedAsync("demo"));
        Assert.Equal((null, GapReason.Reconnected), await room.GapAsync());
        Assert.Equal("1", await room.MessageAsync());
    }

    [Fact]
    public async Task A_token_provider_that_throws_is_asked_again()
    {
        await using var server = StubServer.StartJoining((connection, _) => connection.StayAsync());
        var asked = 0;
        await using var client = Clients.Of(server.Url, options => options.TokenProvider = _ => ++asked < 3 ? throw new InvalidOperationException("no login") : ValueTask.FromResult<string?>("t"));
        await using var room = await client.JoinedAsync("demo");
        Assert.Equal(3, asked);
    }

    [Fact]
    public async Task A_token_provider_that_never_answers_is_given_up_and_asked_again()
    {
        await using var server = StubServer.StartJoining((connection, _) => connection.StayAsync());
        var never = new TaskCompletionSource<string?>();
        var asked = 0;
        await using var client = Clients.Of(server.Url, options =>
        {
            options.ConnectTimeout = TimeSpan.FromSeconds(2);
            options.TokenProvider = _ => ++asked == 1 ? new ValueTask<string?>(never.Task) : ValueTask.FromResult<string?>("t");
        });
        await using var room = await client.JoinedAsync("demo");
        Assert.Equal(2, asked);
    }

    [Fact]
    public async Task A_token_provider_that_never_answers_does_not_keep_the_client_from_ending()
    {
        var asked = new TaskCompletionSource();
        var never = new TaskCompletionSource<string?>();
        var client = Clients.Of(new Uri("ws://127.0.0.1:1/ws"), options =>
        {
            options.ConnectTimeout = TimeSpan.FromMinutes(10);
            options.TokenProvider = _ =>
            {
                asked.TrySetResult();
                return new ValueTask<string?>(never.Task);
            };
        });
        var connecting = client.ConnectAsync(Cancellation);
        await Eventually.CompletesAsync(asked.Task, "the provider is asked");
        await Eventually.CompletesAsync(client.DisposeAsync().AsTask(), "the client's end");
        await Assert.ThrowsAnyAsync<Exception>(() => connecting);
    }

    [Fact]
    public async Task A_token_that_cannot_be_renewed_in_time_is_renewed_after_the_end()
    {
        var failed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = StubServer.StartJoining(async (connection, number) =>
        {
            if (number > 0)
            {
                Assert.Equal("fresh", connection.Token);
                await connection.StayAsync();
                return;
            }

            await connection.SendAsync("""{"type":"EXPIRING","data":{"in":0}}""");
            await failed.Task;
            await connection.CloseAsync(4001, "token expired");
        });
        var asked = 0;
        var ended = false;
        await using var client = Clients.Of(server.Url, options => options.TokenProvider = _ =>
        {
            if (++asked == 1)
                return ValueTask.FromResult<string?>("old");
            // Asked again and again until the connection ends.
            if (asked == 5)
                failed.SetResult();
            return Volatile.Read(ref ended) ? ValueTask.FromResult<string?>("fresh") : throw new InvalidOperationException("no login");
        });
        client.StateChanged += change =>
        {
            if (change.Code == 4001)
                Volatile.Write(ref ended, true);
        };
        await using var room = new Reading(await client.JoinedAsync("demo"));
        Assert.Equal((null, GapReason.Reconnected), await room.GapAsync());
    }

    [Fact]
    public async Task A_token_that_no_header_can_hold_is_a_failed_attempt_and_not_told()
    {
        await using var server = StubServer.StartJoining((connection, _) => connection.StayAsync());
        var asked = 0;
        await using var client = Clients.Of(server.Url, options => options.TokenProvider = _ => ValueTask.FromResult<string?>(++asked == 1 ? "secret\r\nX: 1" : "t"));
        var failed = client.WhenAsync(change => change.Reason is not null);
        await using var room = await client.JoinedAsync("demo");
        Assert.DoesNotContain("secret", (await failed).Reason, StringComparison.Ordinal);
        var error = Assert.Throws<ArgumentException>(() => Clients.Of(server.Url, options => options.Token = "secret\n"));
        Assert.StartsWith("Token must be", error.Message, StringComparison.Ordinal);
    }

    private static async Task<JsonElement> NextAuthAsync(StubConnection connection, string token)
    {
        var auth = await connection.NextAsync();
        Assert.Equal(("AUTH", token), (auth.GetProperty("type").GetString(), auth.GetProperty("data").GetProperty("token").GetString()));
        return auth;
    }
}
