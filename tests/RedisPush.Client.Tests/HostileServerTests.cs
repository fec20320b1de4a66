using System.Net.WebSockets;
using System.Text;
using RedisPush.Client.Tests.Support;

namespace RedisPush.Client.Tests;

/// <summary>A server that breaks every rule costs the client a gap or a connection, and never more.</summary>
public sealed class HostileServerTests
{
    private const string Last = """{"type":"PUSH","data":{"room":"demo","items":["last"]}}""";

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[1]")]
    [InlineData("null")]
    [InlineData("{} {}")]
    [InlineData("""{"data":{}}""")]
    [InlineData("""{"type":7,"data":{}}""")]
    [InlineData("""{"type":"\ud800","data":{}}""")]
    [InlineData("""{"\ud800":1,"type":"PUSH","data":{"items":[]}}""")]
    [InlineData("""{"type":"PUSH"}""")]
    [InlineData("""{"type":"PUSH","data":[]}""")]
    [InlineData("""{"type":"PUSH","data":{"room":"demo"}}""")]
    [InlineData("""{"type":"PUSH","data":{"room":"demo","items":{"0":1}}}""")]
    [InlineData("""{"type":"PUSH","data":{"room":["demo"],"items":[1]}}""")]
    [InlineData("""{"type":"PUSH","data":{"room":"\udc00","items":[1]}}""")]
    [InlineData("""{"type":"PUSH","data":{"room":"demo","items":[1,]}}""")]
    [InlineData("""{"type":"GAP","data":{"room":7,"missed":1,"reason":"slow"}}""")]
    public async Task An_unreadable_message_is_a_gap_and_the_connection_goes_on(string text)
    {
        await using var server = StubServer.StartJoining(async (connection, _) =>
        {
            await connection.SendAsync(text);
            await connection.SendAsync(Last);
            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url);
        await using var broadcasts = new Reading(client.SubscribeBroadcasts());
        await using var reading = new Reading(await client.JoinedAsync("demo"));
        Assert.Equal((null, GapReason.Unreadable), await reading.GapAsync());
        Assert.Equal("\"last\"", await reading.MessageAsync());
        Assert.Equal((null, GapReason.Unreadable), await broadcasts.GapAsync());
    }

    [Theory]
    [InlineData("""{"type":"NEWS","data":7}""")]
    [InlineData("""{"type":"NEWS","data":{"room":7,"items":"x","id":[]}}""")]
    [InlineData("""{"type":"JOINED","id":99,"data":{"room":"demo"}}""")]
    [InlineData("""{"type":"JOINED","id":"1","data":{"room":7}}""")]
    [InlineData("""{"type":"ERROR","id":{"a":[1]},"data":null}""")]
    [InlineData("""{"type":"ERROR","id":99999999999999999999,"data":{"code":3,"message":[]}}""")]
    [InlineData("""{"type":"LEFT","data":{"room":"other","reason":"x"}}""")]
    [InlineData("""{"type":"EXPIRING","data":{"in":-1e400}}""")]
    [InlineData("""{"type":"PUSH","data":{"room":"other","items":[1]}}""")]
    [InlineData("""{"type":"GAP","data":{"room":"other"}}""")]
    [InlineData("""{"type":"PUSH","data":{"room":"demo","items":[]}}""")]
    public async Task What_the_client_does_not_know_it_ignores(string text)
    {
        await using var server = StubServer.StartJoining(async (connection, _) =>
        {
            await connection.SendAsync(text);
            await connection.SendAsync(Last);
            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url);
        await using var reading = new Reading(await client.JoinedAsync("demo"));
        Assert.Equal("\"last\"", await reading.MessageAsync());
    }

    [Theory]
    [InlineData("""{"room":"demo","missed":-1,"reason":"slow"}""", null, "slow")]
    [InlineData("""{"room":"demo","missed":1.5,"reason":"slow"}""", null, "slow")]
    [InlineData("""{"room":"demo","missed":"3","reason":7}""", null, "unknown")]
    [InlineData("""{"room":"demo"}""", null, "unknown")]
    [InlineData("""{"missed":9223372036854775807,"reason":"new","room":"demo"}""", long.MaxValue, "new")]
    public async Task A_gap_of_nonsense_is_a_gap_of_unknown_size(string data, long? missed, string reason)
    {
        await using var server = StubServer.StartJoining(async (connection, _) =>
        {
            await connection.SendAsync($$"""{"data":{{data}},"type":"GAP"}""");
            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url);
        await using var reading = new Reading(await client.JoinedAsync("demo"));
        Assert.Equal((missed, reason), await reading.GapAsync());
    }

    /// <summary>What cannot be skipped ends the connection; the next one brings the room back, and the loss is told.</summary>
    [Theory]
    [InlineData("binary", 1003)]
    [InlineData("too long", 1009)]
    [InlineData("not UTF-8", null)]
    [InlineData("raw bytes", null)]
    [InlineData("a masked frame", null)]
    [InlineData("cut", null)]
    public async Task A_broken_connection_is_replaced_and_told_as_a_gap(string fault, int? code)
    {
        var closed = new TaskCompletionSource<int?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = StubServer.StartJoining(async (connection, number) =>
        {
            if (number == 1)
            {
                await connection.SendAsync(Last);
                await connection.StayAsync();
            }

            await (fault switch
            {
                "binary" => connection.SendAsync([0x80], WebSocketMessageType.Binary),
                "too long" => connection.SendAsync($"{{\"type\":\"PUSH\",\"data\":{{\"items\":[\"{new string('x', 5_000)}\"]}}}}"),
                "not UTF-8" => connection.Stream.WriteAsync(new byte[] { 0x81, 0x02, 0xC3, 0x28 }).AsTask(),
                "raw bytes" => connection.Stream.WriteAsync(Encoding.ASCII.GetBytes(new string('?', 100))).AsTask(),
                "a masked frame" => connection.Stream.WriteAsync(new byte[] { 0x81, 0x82, 1, 2, 3, 4, 5, 6 }).AsTask(),
                _ => Task.CompletedTask,
            });
            if (fault != "cut")
                closed.TrySetResult(await connection.EndAsync());
        });
        await using var client = Clients.Of(server.Url, options => options.MaxMessageBytes = 4096);
        await using var reading = new Reading(await client.JoinedAsync("demo"));
        Assert.Equal((null, GapReason.Reconnected), await reading.GapAsync());
        Assert.Equal("\"last\"", await reading.MessageAsync());
        if (code is not null)
            Assert.Equal(code, await Eventually.CompletesAsync(closed.Task, "the end of the first connection"));
    }

    [Theory]
    [InlineData("HTTP/1.1 503 Service Unavailable")]
    [InlineData("HTTP/1.1 500 Oops")]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/")]
    [InlineData("HTTP/1.1 200 OK")]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAA")]
    [InlineData("SSH-2.0-OpenSSH_9.2")]
    [InlineData("HTTP/1.1 503 Full\r\nRetry-After: -5")]
    public async Task A_handshake_that_is_refused_is_tried_again(string head)
    {
        await using var server = StubServer.Start(async (connection, number) =>
        {
            if (number < 2)
            {
                await connection.RefuseAsync(head);
                return;
            }

            await connection.AcceptAsync();
            await connection.AnswerJoinAsync();
            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url);
        await using var room = await client.JoinedAsync("demo");
        Assert.Equal(ConnectionState.Connected, client.State);
    }

    [Fact]
    public async Task A_server_that_never_answers_the_handshake_is_given_up()
    {
        await using var server = StubServer.Start(async (connection, number) =>
        {
            if (number == 0)
                await connection.StallAsync();
            await connection.AcceptAsync();
            await connection.AnswerJoinAsync();
            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url, options => options.ConnectTimeout = TimeSpan.FromMilliseconds(200));
        await using var room = await client.JoinedAsync("demo");
    }

    [Fact]
    public async Task A_server_that_goes_silent_is_replaced()
    {
        await using var server = StubServer.StartJoining(async (connection, number) =>
        {
            if (number == 0)
                await connection.StallAsync();
            await connection.SendAsync(Last);
            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url, options =>
            (options.PingInterval, options.PingTimeout) = (TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(10)));
        var dead = client.WhenAsync(change => change.Reason is not null);
        await using var reading = new Reading(await client.JoinedAsync("demo"));
        Assert.Equal("the server gave no sign of life", (await Eventually.CompletesAsync(dead, "a dead server")).Reason);
        Assert.Equal((null, GapReason.Reconnected), await reading.GapAsync());
    }

    /// <summary>Valid messages with a few bytes changed, cut or repeated: whatever comes, the client goes on, or comes back.</summary>
    [Fact]
    public async Task Ten_thousand_damaged_messages_do_not_end_the_client()
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        string[] valid =
        [
            """{"type":"PUSH","data":{"room":"demo","items":[{"a":[1,2,{"b":"\u00e9"}]},"x",3.5,null,true]}}""",
            """{"type":"PUSH","data":{"items":["to all"],"epoch":"e","offset":12,"positioned":1}}""",
            """{"type":"GAP","data":{"room":"demo","missed":3,"reason":"slow"}}""",
            """{"type":"JOINED","id":1,"data":{"room":"demo","recovered":true,"epoch":"e","offset":9}}""",
            """{"type":"ERROR","id":1,"data":{"code":"too_many_joins","message":"m"}}""",
            """{"type":"EXPIRING","data":{"in":60}}""",
        ];
        await using var server = StubServer.StartJoining(async (connection, _) =>
        {
            var random = new Random(seed);
            for (var i = 0; i < 10_000; i++)
                await connection.SendAsync(Damage(valid[random.Next(valid.Length)], random));
            await connection.SendAsync("""{"type":"PUSH","data":{"items":["the end"]}}""");
            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url);
        await using var broadcasts = new Reading(client.SubscribeBroadcasts());
        await using var room = await client.JoinedAsync("demo");
        PushEvent? next;
        do
        {
            next = await broadcasts.NextAsync();
            Assert.NotNull(next);
        }
        while (next is not PushMessage message || message.ToString() != "\"the end\"");
        Assert.Equal(ConnectionState.Connected, client.State);
    }

    private static string Damage(string text, Random random)
    {
        var characters = text.ToList();
        for (var times = random.Next(4); times > 0 && characters.Count > 0; times--)
        {
            var at = random.Next(characters.Count);
            switch (random.Next(3))
            {
                case 0:
                    characters[at] = (char)random.Next(0x20, 0x7F);
                    break;
                case 1:
                    characters.RemoveRange(at, random.Next(characters.Count - at) + 1);
                    break;
                default:
                    characters.InsertRange(at, characters.GetRange(at, random.Next(characters.Count - at)));
                    break;
            }
        }

        return string.Concat(characters);
    }
}
