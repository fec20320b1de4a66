using System.Text.Json;
using RedisPush.Client.Tests.Support;

namespace RedisPush.Client.Tests;

/// <summary>JOINs that the server refuses, for now or for good.</summary>
public sealed class JoinTests
{
    [Theory]
    [InlineData("too_many_joins")]
    [InlineData("too_many_requests")]
    [InlineData("too_many_rooms")]
    [InlineData("rate_limited")]
    public async Task A_limit_that_passes_only_delays_the_JOIN(string code)
    {
        await using var server = StubServer.Start(async (connection, _) =>
        {
            await connection.AcceptAsync();
            var join = await connection.NextAsync();
            // rate_limited says nothing about which request it means.
            if (code == "rate_limited")
                await connection.SendAsync("""{"type":"ERROR","data":{"code":"rate_limited","message":"too much"}}""");
            else
                await connection.ErrorAsync(join, code);
            await connection.AnswerJoinAsync();
            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url);
        var errors = new List<PushError>();
        client.ErrorReceived += errors.Add;
        await using var room = await client.JoinedAsync("demo");
        Assert.Equal(code, Assert.Single(errors).Code);
    }

    [Theory]
    [InlineData("room_limit")]
    [InlineData("bad_room")]
    [InlineData("forbidden")]
    [InlineData("a code of a newer server")]
    public async Task Any_other_code_is_the_exception_of_the_join(string code)
    {
        await using var server = StubServer.Start(async (connection, _) =>
        {
            await connection.AcceptAsync();
            await connection.ErrorAsync(await connection.NextAsync(), code);
            await connection.AnswerJoinAsync();
            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url);
        var refused = await Assert.ThrowsAsync<JoinRefusedException>(() => client.JoinAsync("demo", cancellationToken: TestContext.Current.CancellationToken));
        Assert.Equal(("demo", code, $"The server refused room 'demo' ({code}): not now"), (refused.Room, refused.Code, refused.Message));
        await using var other = await client.JoinedAsync("other");
    }

    [Fact]
    public async Task A_room_that_is_refused_after_a_reconnect_ends_with_the_reason()
    {
        await using var server = StubServer.Start(async (connection, number) =>
        {
            await connection.AcceptAsync();
            if (number == 0)
            {
                await connection.AnswerJoinAsync();
                return;
            }

            await connection.ErrorAsync(await connection.NextAsync(), "room_limit");
            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url);
        await using var room = new Reading(await client.JoinedAsync("demo"));
        Assert.Equal("room_limit", (await Assert.ThrowsAsync<JoinRefusedException>(room.NextAsync)).Code);
        Assert.Equal(ConnectionState.Connected, client.State);
    }

    [Fact]
    public async Task A_membership_that_the_server_ends_ends_the_subscription()
    {
        await using var server = StubServer.StartJoining(async (connection, _) =>
        {
            await connection.SendAsync("""{"type":"PUSH","data":{"room":"demo","items":[1]}}""");
            await connection.SendAsync("""{"type":"LEFT","data":{"room":"demo","reason":"forbidden"}}""");
            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url);
        await using var room = new Reading(await client.JoinedAsync("demo"));
        Assert.Equal("1", await room.MessageAsync());
        Assert.Equal("forbidden", (await Assert.ThrowsAsync<JoinRefusedException>(room.NextAsync)).Code);
    }

    /// <summary>The server says nothing about what it ignored: what has no answer goes again, a LEAVE before the next JOIN.</summary>
    [Fact]
    public async Task A_LEAVE_that_the_server_ignored_is_sent_again_until_LEFT()
    {
        var seen = new List<string>();
        await using var server = StubServer.StartJoining(async (connection, _) =>
        {
            seen.Add((await connection.NextAsync()).GetProperty("type").GetString()!);
            await connection.SendAsync("""{"type":"ERROR","data":{"code":"rate_limited","message":"too much"}}""");
            seen.Add((await connection.NextAsync()).GetProperty("type").GetString()!);
            await connection.SendAsync("""{"type":"LEFT","data":{"room":"demo"}}""");
            await connection.SendAsync("""{"type":"ERROR","data":{"code":"rate_limited","message":"too much"}}""");
            await connection.AnswerJoinAsync();
            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url);
        var limits = 0;
        var ignored = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        client.ErrorReceived += _ =>
        {
            if (++limits == 2)
                ignored.SetResult();
        };
        await (await client.JoinedAsync("demo")).DisposeAsync();
        await Eventually.CompletesAsync(ignored.Task, "both errors");
        await using var room = await client.JoinedAsync("demo");
        Assert.Equal(["LEAVE", "LEAVE"], seen);
    }

    /// <summary>
    /// A server takes 32 requests behind a JOIN. What a client sends before its SEND is all that it sends without an answer.
    /// </summary>
    [Fact]
    public async Task Many_JOINs_are_sent_a_few_at_a_time()
    {
        const int Rooms = 200;
        var waiting = new Queue<JsonElement>();
        await using var server = StubServer.Start(async (connection, _) =>
        {
            await connection.AcceptAsync();
            var next = await connection.NextAsync();
            for (; next.GetProperty("type").GetString() == "JOIN"; next = await connection.NextAsync())
                waiting.Enqueue(next);
            Assert.Equal(16, waiting.Count);
            await connection.SentAsync(next);
            for (var joined = 0; joined < Rooms; joined++)
            {
                var join = waiting.Dequeue();
                await connection.SendAsync($$$"""{"type":"JOINED","id":{{{join.GetProperty("id")}}},"data":{"room":{{{join.GetProperty("data").GetProperty("room").GetRawText()}}}}}""");
                if (joined + 16 < Rooms)
                    waiting.Enqueue(await connection.NextAsync());
            }

            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url);
        var joins = Enumerable.Range(0, Rooms).Select(n => client.JoinAsync($"room-{n}", cancellationToken: TestContext.Current.CancellationToken)).ToList();
        await Eventually.CompletesAsync(client.SendTextAsync("room-0", "hi", TestContext.Current.CancellationToken), "SENT");
        await Eventually.CompletesAsync(Task.WhenAll(joins), "all rooms are joined");
        Assert.Empty(waiting);
    }

    [Fact]
    public async Task A_room_that_is_joined_again_at_once_gets_nothing_of_the_old_membership()
    {
        await using var server = StubServer.StartJoining(async (connection, _) =>
        {
            Assert.Equal("LEAVE", (await connection.NextAsync()).GetProperty("type").GetString());
            await connection.SendAsync("""{"type":"PUSH","data":{"room":"demo","items":["old"]}}""");
            await connection.SendAsync("""{"type":"LEFT","data":{"room":"demo"}}""");
            await connection.AnswerJoinAsync();
            await connection.SendAsync("""{"type":"PUSH","data":{"room":"demo","items":["new"]}}""");
            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url);
        await (await client.JoinedAsync("demo")).DisposeAsync();
        await using var room = new Reading(await client.JoinedAsync("demo"));
        Assert.Equal("\"new\"", await room.MessageAsync());
    }
}
