using System.Text.Json;
using System.Text.Json.Serialization;
using RedisPush.Client.Tests.Support;

namespace RedisPush.Client.Tests;

/// <summary>Messages that the client sends, on a server that answers what the test wants.</summary>
public sealed partial class SendTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_message_is_sent_when_the_server_confirms_it()
    {
        var items = new List<string>();
        await using var server = StubServer.Start(async (connection, _) =>
        {
            await connection.AcceptAsync();
            while (items.Count < 4)
            {
                var send = await connection.NextAsync();
                Assert.Equal(("SEND", "demo \"1\""), (send.GetProperty("type").GetString(), send.GetProperty("data").GetProperty("room").GetString()));
                items.Add(send.GetProperty("data").GetProperty("item").GetRawText());
                await connection.SentAsync(send);
            }

            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url);
        await client.SendAsync("demo \"1\"", " {\"n\": 1.50}\n"u8.ToArray(), Cancellation);
        await client.SendAsync("demo \"1\"", "null"u8.ToArray(), Cancellation);
        await client.SendTextAsync("demo \"1\"", "<é>\n", Cancellation);
        await client.SendAsync("demo \"1\"", new Chat("hi"), SentJson.Default.Chat, Cancellation);
        Assert.Equal(["{\"n\": 1.50}", "null", "\"<é>\\n\"", """{"Text":"hi"}"""], items);
    }

    [Theory]
    [InlineData("muted", false)]
    [InlineData("slow_mode", false)]
    [InlineData("send_limited", false)]
    [InlineData("forbidden", false)]
    [InlineData("not_sent", false)]
    [InlineData("not_confirmed", true)]
    [InlineData("bad_item", false)]
    [InlineData("a code of a newer server", false)]
    public async Task A_refusal_has_the_code_of_the_server(string code, bool mayBeSent)
    {
        await using var server = StubServer.Start(async (connection, _) =>
        {
            await connection.AcceptAsync();
            await connection.ErrorAsync(await connection.NextAsync(), code);
            await connection.StayAsync();
        });
        var errors = new List<PushError>();
        await using var client = Clients.Of(server.Url);
        client.ErrorReceived += errors.Add;
        var refused = await Assert.ThrowsAsync<SendException>(() => client.SendTextAsync("demo", "hi", Cancellation));
        Assert.Equal(("demo", code, mayBeSent), (refused.Room, refused.Code, refused.MayBeSent));
        Assert.Equal($"The message to room 'demo' was not confirmed ({code}): not now", refused.Message);
        Assert.Empty(errors);
    }

    [Fact]
    public async Task Eight_messages_are_on_their_way_at_a_time_and_the_others_follow_in_order()
    {
        await using var server = StubServer.StartJoining(async (connection, _) =>
        {
            var asked = new Queue<JsonElement>();
            for (var n = 0; n < 8; n++)
                asked.Enqueue(await connection.NextAsync());
            // A ninth would come before the JOIN.
            await connection.AnswerJoinAsync();
            for (var n = 0; n < 20; n++)
            {
                var send = asked.Dequeue();
                Assert.Equal(n, send.GetProperty("data").GetProperty("item").GetInt32());
                await connection.SentAsync(send);
                if (n < 12)
                    asked.Enqueue(await connection.NextAsync());
            }

            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url, options => options.MaxWaitingSends = 12);
        await using var room = await client.JoinedAsync("demo");
        var sends = Enumerable.Range(0, 20).Select(n => client.SendAsync("demo", JsonSerializer.SerializeToUtf8Bytes(n), Cancellation)).ToList();
        var late = await Assert.ThrowsAsync<SendException>(() => client.SendTextAsync("demo", "hi", Cancellation));
        Assert.Equal((SendErrorCode.TooManyWaiting, false), (late.Code, late.MayBeSent));
        await using var other = await client.JoinedAsync("other");
        await Eventually.CompletesAsync(Task.WhenAll(sends), "SENT of each");
    }

    [Fact]
    public async Task What_was_on_its_way_when_the_connection_broke_is_unknown_and_the_rest_is_sent_on_the_next()
    {
        await using var server = StubServer.Start(async (connection, number) =>
        {
            await connection.AcceptAsync();
            for (var n = 0; n < 8; n++)
            {
                var send = await connection.NextAsync();
                Assert.Equal((8 * number) + n, send.GetProperty("data").GetProperty("item").GetInt32());
                if (number == 1)
                    await connection.SentAsync(send);
            }

            if (number == 1)
                await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url);
        var sends = Enumerable.Range(0, 16).Select(n => client.SendAsync("demo", JsonSerializer.SerializeToUtf8Bytes(n), Cancellation)).ToList();
        foreach (var lost in sends.Take(8))
        {
            var error = await Assert.ThrowsAsync<SendException>(() => Eventually.CompletesAsync(lost, "the end"));
            Assert.Equal((SendErrorCode.Disconnected, true), (error.Code, error.MayBeSent));
        }

        await Eventually.CompletesAsync(Task.WhenAll(sends.Skip(8)), "SENT of the others");
    }

    [Fact]
    public async Task A_message_without_an_answer_is_unknown_and_makes_room_for_others()
    {
        await using var server = StubServer.StartJoining(async (connection, _) =>
        {
            for (var n = 0; n < 8; n++)
                await connection.NextAsync();
            await connection.SendAsync("""{"type":"ERROR","data":{"code":"rate_limited","message":"too much"}}""");
            await connection.SentAsync(await connection.NextAsync());
            await connection.StayAsync();
        });
        var time = new ManualTime();
        await using var client = Clients.Of(server.Url, options =>
            (options.TimeProvider, options.PingInterval, options.SendTimeout) = (time, TimeSpan.FromHours(1), TimeSpan.FromSeconds(10)));
        await using var room = await client.JoinedAsync("demo");
        var sends = Enumerable.Range(0, 9).Select(n => client.SendTextAsync("demo", $"{n}", Cancellation)).ToList();
        // The pulse, the pauses of messages and JOINs after rate_limited, and the messages on their way.
        await Eventually.HoldsAsync(() => time.ActiveTimers == 11, "the server has limited the client");
        time.Advance(TimeSpan.FromSeconds(10));
        foreach (var lost in sends.Take(8))
            Assert.Equal(SendErrorCode.NoAnswer, (await Assert.ThrowsAsync<SendException>(() => Eventually.CompletesAsync(lost, "the end"))).Code);
        await Eventually.CompletesAsync(sends[8], "SENT");
    }

    [Fact]
    public async Task A_message_that_is_given_up_while_it_waits_is_not_sent()
    {
        var open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = StubServer.Start(async (connection, _) =>
        {
            await open.Task;
            await connection.AcceptAsync();
            var send = await connection.NextAsync();
            Assert.Equal("second", send.GetProperty("data").GetProperty("item").GetString());
            await connection.SentAsync(send);
            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url);
        using var giveUp = new CancellationTokenSource();
        var first = client.SendTextAsync("demo", "first", giveUp.Token);
        var second = client.SendTextAsync("demo", "second", Cancellation);
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        open.SetResult();
        await Eventually.CompletesAsync(second, "SENT");
    }

    [Fact]
    public async Task What_waits_ends_with_the_client()
    {
        await using var server = StubServer.Start(async (connection, number) =>
        {
            await connection.AcceptAsync();
            await connection.NextAsync();
            if (number == 0)
                await connection.CloseAsync(4009, "go away");
            await connection.StayAsync();
        });
        var client = Clients.Of(server.Url);
        var sends = Enumerable.Range(0, 9).Select(_ => client.SendTextAsync("demo", "hi", Cancellation)).ToList();
        Assert.Equal(SendErrorCode.Disconnected, (await Assert.ThrowsAsync<SendException>(() => sends[0])).Code);
        Assert.Equal(4009, (await Assert.ThrowsAsync<ConnectionRefusedException>(() => sends[8])).Code);
        sends = [.. Enumerable.Range(0, 9).Select(_ => client.SendTextAsync("demo", "hi", Cancellation))];
        await Eventually.HoldsAsync(() => client.State == ConnectionState.Connected, "the next use connects");
        await client.DisposeAsync();
        Assert.Equal(SendErrorCode.Disconnected, (await Assert.ThrowsAsync<SendException>(() => sends[0])).Code);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => sends[8]);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.SendTextAsync("demo", "hi", Cancellation));
    }

    [Theory]
    [InlineData("a/b", "1")]
    [InlineData("demo", "{")]
    [InlineData("demo", "")]
    [InlineData("demo", "1 2")]
    public async Task What_no_server_accepts_is_an_argument_error(string room, string json)
    {
        await using var client = Clients.Of(new Uri("ws://127.0.0.1:1/ws"));
        await Assert.ThrowsAsync<ArgumentException>(() => client.SendAsync(room, System.Text.Encoding.UTF8.GetBytes(json), Cancellation));
        Assert.Equal(ConnectionState.Disconnected, client.State);
    }

    [Fact]
    public async Task A_message_for_which_the_server_would_close_the_connection_is_an_argument_error()
    {
        await using var client = Clients.Of(new Uri("ws://127.0.0.1:1/ws"));
        var error = await Assert.ThrowsAsync<ArgumentException>(() => client.SendTextAsync("demo", new string('x', 4096), Cancellation));
        Assert.Contains("MaxRequestBytes is 4096", error.Message, StringComparison.Ordinal);
    }

    internal sealed record Chat(string Text);

    [JsonSerializable(typeof(Chat))]
    internal sealed partial class SentJson : JsonSerializerContext;
}
