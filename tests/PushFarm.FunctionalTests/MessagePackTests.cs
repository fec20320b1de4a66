using System.Text.Json;
using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Npm;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>Clients of push.msgpack, with npm's packages.</summary>
public abstract class MessagePackTests(FarmFixture fixture, NodeTransport transport) : TransportTests(transport), IClassFixture<MessagePackJs>
{
    private const string Subprotocol = "push.msgpack";

    private readonly ProgramProcess _farm = fixture.Over(transport);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Both_encodings_bring_the_same_answers_and_messages(bool deflate)
    {
        await using var farm = await StartFarmAsync(("Push:Connections:MaxRooms", "2"), ("Push:Compression:MinBytes", "1"), ("Push:Compression:MinMembers", "1"));
        await using var packed = await NpmClient.ConnectAsync(farm.NodePort, deflate, Subprotocol);
        await using var json = await WsClient.ConnectAsync(farm.NodePort);
        Assert.Equal((Subprotocol, deflate), (packed.Subprotocol, packed.Extensions.Contains("permessage-deflate", StringComparison.Ordinal)));
        var room = Room.New("默认");
        foreach (var request in new[]
        {
            """{"type":"PING","data":{}}""",
            """{"type":"PING","id":"a\"\u00e9\n"}""",
            """{"type":"PING","id":-1.5e-7}""",
            """{"type":"PING","id":9007199254740991}""",
            $$$"""{"type":"JOIN","id":0,"data":{"room":"{{{room}}}"}}""",
            $$$"""{"type":"JOIN","data":{"room":"{{{room}}}"}}""",
            $$$"""{"type":"JOIN","id":-1,"data":{"room":"{{{room}}}-2"}}""",
            """{"type":"JOIN","id":3,"data":{"room":"one too many"}}""",
            """{"type":"JOIN","id":"x","data":{"room":"a/b"}}""",
            """{"type":"JOIN","id":"x","data":{"room":7}}""",
            $$$"""{"type":"LEAVE","id":"x","data":{"room":"{{{room}}}-2"}}""",
            """{"type":"NO_SUCH_TYPE","id":4000000000}""",
            """{"type":5}""",
            """{"type":"PING","id":[]}""",
            "[]",
        })
        {
            await packed.SendValueAsync(request);
            await json.SendAsync(request);
            await SameAsync(packed, json);
        }

        string[] items = ["1", "-0.5", "\"text\"", "null", """{"a":[1,{"b":true}],"n":1e300,"é":"\u0041\ud83d\ude00"}""", $"\"{new string('x', 65_000)}\"", $"[{string.Join(',', Enumerable.Range(0, 1000))}]"];
        foreach (var item in items)
            await Http.PublishAsync(farm, room, item);
        for (var read = 0; read < items.Length;)
            read += (await SameAsync(packed, json)).Items.Count();
        await Http.PostAsync(farm.ApiPort, "/v1/broadcast", Http.Json, """{"to":"all"}""");
        Assert.Null((await SameAsync(packed, json)).Room);
        var metrics = await Metrics.ScrapeAsync(farm);
        Assert.Equal(deflate, metrics["push_batches_encoded_total{variant=\"message_pack_deflate\"}"] > 0);
        Assert.Equal(metrics["push_batches_encoded_total{variant=\"json\"}"], metrics["push_batches_encoded_total{variant=\"message_pack\"}"]);
    }

    [Fact]
    public async Task Both_encodings_tell_of_an_outage()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var node = await StartNodeAsync(redis);
        await using var packed = await NpmClient.ConnectAsync(node.NodePort, false, Subprotocol);
        await using var json = await WsClient.ConnectAsync(node.NodePort);
        var room = Room.New();
        await SendBothAsync("JOIN", "1", room);
        Assert.Equal("JOINED", (await SameAsync(packed, json)).Type);
        await redis.StopAsync();
        await node.BecomesUnreadyAsync();
        await SendBothAsync("JOIN", "\"late\"", Room.New("late"));
        Assert.Equal(("backplane_away", "\"late\""), await SameAsync(packed, json) is var error ? (error.Code, error.Id) : default);
        await redis.StartAsync();

        // Each client's GAPs and JOINED come in an order of their own.
        var (one, other) = (new List<string>(), new List<string>());
        while (one.Count < 3)
            one.Add((await packed.NextAsync()).ToString());
        while (other.Count < 3)
            other.Add((await json.NextAsync()).ToString());
        Assert.Equal(other.Order(StringComparer.Ordinal), one.Order(StringComparer.Ordinal));
        Assert.Equal(2, one.Count(message => message.Contains("\"GAP\"", StringComparison.Ordinal)));

        async Task SendBothAsync(string type, string id, string name)
        {
            var request = $$$"""{"type":"{{{type}}}","id":{{{id}}},"data":{"room":"{{{name}}}"}}""";
            await packed.SendValueAsync(request);
            await json.SendAsync(request);
        }
    }

    [Fact]
    public async Task A_client_may_mix_text_and_binary()
    {
        await using var client = await NpmClient.ConnectAsync(_farm.NodePort, false, Subprotocol);
        await client.SendTextAsync("""{"type":"PING","id":1}""");
        await client.SendValueAsync("""{"type":"PING","id":2}""");
        await client.SendTextAsync("{");
        await client.SendBinaryAsync([0xC1]);
        Assert.Equal("1", (await client.NextAsync()).Id);
        Assert.Equal("2", (await client.NextAsync()).Id);
        Assert.Equal("bad_json", (await client.NextAsync()).Code);
        Assert.Equal("bad_msgpack", (await client.NextAsync()).Code);
    }

    [Theory]
    [InlineData(131)]
    public async Task Hostile_messages_are_answered_and_the_connection_stays(int seed)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using var client = await NpmClient.ConnectAsync(_farm.NodePort, false, Subprotocol);
        byte[][] hostile =
        [
            [], [0xC1], [0xDD, 0xFF, 0xFF, 0xFF, 0xFF], [0xDF, 0xFF, 0xFF, 0xFF, 0xFF], [0xDB, 0xFF, 0xFF, 0xFF, 0xFF], [.. Enumerable.Repeat((byte)0x91, 4096)],
            [0xC4, 0x01, 0x00], [0xD4, 0x01, 0x00], [0xCB, 0x7F, 0xF0, 0, 0, 0, 0, 0, 0], [0x80, 0x80], [0x81, 0x01, 0x01], [0xA1, 0xFF],
        ];
        foreach (var message in hostile)
            await client.SendBinaryAsync(message);
        foreach (var _ in hostile)
            Assert.Equal("bad_msgpack", (await client.NextAsync()).Code);
        for (var round = 0; round < 200; round++)
        {
            var bytes = new byte[random.Next(100)];
            random.NextBytes(bytes);
            await client.SendBinaryAsync(bytes);
            Assert.Contains((await client.NextAsync()).Code, (string[])["bad_msgpack", "bad_request"]);
        }

        await client.SendValueAsync("""{"type":"PING","id":"alive"}""");
        Assert.Equal("\"alive\"", (await client.NextAsync()).Id);
    }

    [Fact]
    public async Task The_message_limit_counts_bytes_of_MessagePack()
    {
        await using var client = await NpmClient.ConnectAsync(_farm.NodePort, false, Subprotocol);
        // One byte more than its text has, for the header: 4,096.
        await client.SendBinaryAsync([0xDA, 0x0F, 0xFD, .. Enumerable.Repeat((byte)'x', 4093)]);
        Assert.Equal("bad_request", (await client.NextAsync()).Code);
        await client.SendBinaryAsync([0xDA, 0x0F, 0xFE, .. Enumerable.Repeat((byte)'x', 4094)]);
        Assert.Equal((1009, "message over 4096 bytes"), await client.EndAsync());
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("Sec-WebSocket-Protocol: push.msgpack\r\n", "push.msgpack")]
    [InlineData("Sec-WebSocket-Protocol: push.json, push.msgpack\r\n", "push.json")]
    [InlineData("Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: x, push.msgpack\r\n", "push.msgpack")]
    [InlineData("Sec-WebSocket-Protocol: chat\r\n", null)]
    [InlineData("Sec-WebSocket-Protocol: \r\n", null)]
    [InlineData("sec-websocket-protocol:push.json\r\n", "push.json")]
    public async Task The_first_known_subprotocol_is_chosen(string offer, string? chosen)
    {
        var (client, answer) = await WsClient.TryConnectAsync(_farm.NodePort, options: new WsOptions { ExtraHeaders = offer });
        await client!.DisposeAsync();
        Assert.Equal(chosen, answer.Headers.GetValueOrDefault("Sec-WebSocket-Protocol"));
    }

    [Theory]
    [InlineData("Sec-WebSocket-Protocol: push.json\r\n")]
    [InlineData("Sec-WebSocket-Protocol: chat\r\n")]
    public async Task Any_other_client_gets_JSON_and_sends_text_only(string offer)
    {
        await using var client = await WsClient.ConnectAsync(_farm.NodePort, options: new WsOptions { ExtraHeaders = offer });
        await client.PingAsync();
        await client.SendBytesAsync(ClientFrame.Of(WsOpcode.Binary, [0x80]));
        Assert.Equal(1003, (await client.EndAsync()).Code);
    }

    /// <summary>The next message of both, which must be the same.</summary>
    private static async Task<ServerMessage> SameAsync(NpmClient packed, WsClient json)
    {
        var (one, other) = (await packed.NextAsync(), await json.NextAsync());
        using var parsed = JsonDocument.Parse(one.ToString());
        using var expected = JsonDocument.Parse(other.ToString());
        Assert.True(JsonElement.DeepEquals(expected.RootElement, parsed.RootElement), $"{one} and {other}");
        return one;
    }

    [Collection(EpollFarmDefinition.Name)]
    public sealed class OverEpoll(FarmFixture fixture) : MessagePackTests(fixture, NodeTransport.Epoll);

    [Collection(KestrelFarmDefinition.Name)]
    public sealed class OverKestrel(FarmFixture fixture) : MessagePackTests(fixture, NodeTransport.Stream);
}
