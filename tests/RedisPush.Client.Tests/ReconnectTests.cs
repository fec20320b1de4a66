using RedisPush.Client.Tests.Support;

namespace RedisPush.Client.Tests;

/// <summary>What the client does after each way in which a server can end a connection.</summary>
public sealed class ReconnectTests
{
    [Theory]
    [InlineData(1002, "frame not masked")]
    [InlineData(1003, "text messages only")]
    [InlineData(1007, "text is not UTF-8")]
    [InlineData(1009, "message over 4096 bytes")]
    [InlineData(4001, "token expired")]
    [InlineData(4003, "not allowed")]
    [InlineData(4009, "disconnected")]
    public async Task A_final_close_code_ends_every_subscription_and_the_next_use_begins_anew(int code, string reason)
    {
        await using var server = StubServer.StartJoining(async (connection, number) =>
        {
            if (number == 0)
            {
                await connection.NextAsync();
                await connection.CloseAsync(code, reason);
            }

            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url);
        await using var broadcasts = new Reading(client.SubscribeBroadcasts());
        await using var room = new Reading(await client.JoinedAsync("demo"));
        var waiting = await Assert.ThrowsAsync<ConnectionRefusedException>(() => client.JoinAsync("other", cancellationToken: TestContext.Current.CancellationToken));
        Assert.Equal((code, reason), (waiting.Code, waiting.Reason));
        Assert.Same(waiting, await Assert.ThrowsAsync<ConnectionRefusedException>(room.NextAsync));
        Assert.Same(waiting, await Assert.ThrowsAsync<ConnectionRefusedException>(broadcasts.NextAsync));
        Assert.Equal(ConnectionState.Disconnected, client.State);
        await using var again = await client.JoinedAsync("demo");
    }

    [Theory]
    [InlineData("401 Unauthorized")]
    [InlineData("403 Forbidden")]
    public async Task A_refused_handshake_is_final(string status)
    {
        await using var server = StubServer.Start((connection, _) => connection.RefuseAsync($"HTTP/1.1 {status}"));
        await using var client = Clients.Of(server.Url);
        var refused = await Assert.ThrowsAsync<ConnectionRefusedException>(() => client.ConnectAsync(TestContext.Current.CancellationToken));
        Assert.Null(refused.Code);
        Assert.Contains(status[..3], refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1001, "retry=1500", 1.5, 1.5)]
    [InlineData(1001, "retry=0", 0, 0)]
    [InlineData(1001, "retry=3600000", 900, 900)]
    [InlineData(1001, "retry=99999999999999999999999", 900, 900)]
    [InlineData(1001, "retry=-5", 0, 0.05)]
    [InlineData(1001, "retry= 5", 0, 0.05)]
    [InlineData(1001, "going", 0, 0.05)]
    [InlineData(1000, "retry=1500", 0, 0.05)]
    [InlineData(4008, "too slow", 0, 0.05)]
    [InlineData(4029, "too many messages", 30, 60)]
    [InlineData(4999, "retry=1500", 0, 0.05)]
    public async Task The_wait_is_what_the_close_frame_asks_for_or_random(int code, string reason, double least, double most)
    {
        await using var server = StubServer.Start(async (connection, _) =>
        {
            await connection.AcceptAsync();
            await connection.CloseAsync(code, reason);
        });
        await using var client = Clients.Of(server.Url);
        var ended = client.WhenAsync(change => change.Code is not null);
        await client.ConnectAsync(TestContext.Current.CancellationToken);
        var change = await Eventually.CompletesAsync(ended, "the end");
        Assert.Equal((ConnectionState.Connecting, code, reason), (change.State, change.Code, change.Reason));
        Assert.InRange(change.RetryIn!.Value.TotalSeconds, least, most);
    }

    /// <summary>On a clock that stands still: the answer is exactly as old as the timeout when the timer fires.</summary>
    [Fact]
    public async Task A_quiet_server_that_answers_PINGs_keeps_the_connection()
    {
        await using var server = StubServer.StartJoining(async (connection, _) =>
        {
            while (true)
            {
                await connection.NextAsync(orPing: true);
                await connection.SendAsync("""{"type":"PONG","data":{}}""");
                await connection.SendAsync("""{"type":"PUSH","data":{"room":"demo","items":["answered"]}}""");
            }
        });
        var time = new ManualTime();
        await using var client = Clients.Of(server.Url, options =>
            (options.PingInterval, options.PingTimeout, options.TimeProvider) = (TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(10), time));
        await using var room = new Reading(await client.JoinedAsync("demo"));
        for (var pings = 0; pings < 5; pings++)
        {
            await AdvanceAsync(20);
            Assert.Equal("\"answered\"", await room.MessageAsync());
            await AdvanceAsync(10);
        }

        Assert.Equal(ConnectionState.Connected, client.State);

        async Task AdvanceAsync(int seconds)
        {
            await Eventually.HoldsAsync(() => time.ActiveTimers == 1, "the pulse waits");
            time.Advance(TimeSpan.FromSeconds(seconds));
        }
    }

    [Fact]
    public async Task A_handler_or_a_configuration_that_throws_does_not_end_the_client()
    {
        await using var server = StubServer.StartJoining((connection, _) => connection.StayAsync());
        var configured = 0;
        await using var client = Clients.Of(server.Url, options => options.ConfigureWebSocket = _ => ThrowIf(++configured < 3));
        client.StateChanged += _ => throw new InvalidOperationException("a bug of the application");
        await using var room = await client.JoinedAsync("demo");
        Assert.Equal(3, configured);

        static void ThrowIf(bool condition) => ArgumentOutOfRangeException.ThrowIfEqual(condition, true);
    }

    [Fact]
    public async Task A_server_with_history_is_asked_to_continue_and_believed()
    {
        var joins = new List<string>();
        await using var server = StubServer.Start(async (connection, number) =>
        {
            await connection.AcceptAsync();
            joins.Add((await connection.AnswerJoinAsync(number switch
            {
                0 => ""","epoch":"e","offset":3""",
                1 => ""","recovered":true,"epoch":"e2","offset":5""",
                _ => ""","recovered":false,"epoch":"e3","offset":40""",
            })).GetRawText());
            await connection.SendAsync(number switch
            {
                0 => """{"type":"PUSH","data":{"room":"demo","items":["four","five"],"epoch":"e","offset":5}}""",
                1 => """{"type":"PUSH","data":{"room":"demo","items":["six"],"epoch":"e2","offset":6}}""",
                _ => """{"type":"PUSH","data":{"room":"demo","items":["plain","41"],"epoch":"e3","offset":41,"positioned":1}}""",
            });
            if (number == 2)
                await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url);
        await using var room = new Reading(await client.JoinedAsync("demo", new JoinOptions { Last = 2 }));
        Assert.Equal(new PushPosition("e", 4), Assert.IsType<PushMessage>(await room.NextAsync()).Position);
        Assert.Equal(new PushPosition("e", 5), Assert.IsType<PushMessage>(await room.NextAsync()).Position);
        Assert.True(Assert.IsType<PushJoined>(await room.NextAsync()).Recovered);
        Assert.Equal(new PushPosition("e2", 6), Assert.IsType<PushMessage>(await room.NextAsync()).Position);
        Assert.False(Assert.IsType<PushJoined>(await room.NextAsync()).Recovered);
        Assert.Equal((null, GapReason.Reconnected), await room.GapAsync());
        Assert.Null(Assert.IsType<PushMessage>(await room.NextAsync()).Position);
        Assert.Equal(
            ["""{"room":"demo","last":2}""", """{"room":"demo","since":{"epoch":"e","offset":5}}""", """{"room":"demo","since":{"epoch":"e2","offset":6}}"""], joins);
    }

    [Fact]
    public async Task A_position_of_the_applications_that_the_server_does_not_have_is_a_gap()
    {
        await using var server = StubServer.StartJoining((connection, _) => connection.StayAsync());
        await using var client = Clients.Of(server.Url);
        await using var room = new Reading(await client.JoinedAsync("demo", new JoinOptions { Since = new PushPosition("e", 1) }));
        Assert.Equal((null, GapReason.Reconnected), await room.GapAsync());
    }
}
