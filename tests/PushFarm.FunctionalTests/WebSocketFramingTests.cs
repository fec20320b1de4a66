using System.Text;
using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>RFC 6455 from the client's side: valid frames, and the close codes for invalid ones.</summary>
public abstract class WebSocketFramingTests(FarmFixture fixture, NodeTransport transport) : TransportTests(transport)
{
    private const string Ping = """{"type":"PING","data":{}}""";
    private const int MessageLimit = 4096;

    private static readonly byte[] PingBytes = Encoding.UTF8.GetBytes(Ping);

    private readonly ProgramProcess _farm = fixture.Over(transport);

    public static TheoryData<string, int, byte[]> WrongBytes
    {
        get
        {
            var data = new TheoryData<string, int, byte[]>
            {
                { "unmasked text", 1002, ClientFrame.Of(WsOpcode.Text, PingBytes, masked: false) },
                { "unmasked ping", 1002, ClientFrame.Of(WsOpcode.Ping, [], masked: false) },
                { "fragmented ping", 1002, ClientFrame.Of(WsOpcode.Ping, [], final: false) },
                { "fragmented close", 1002, ClientFrame.Of(WsOpcode.Close, [], final: false) },
                { "ping of 126 bytes", 1002, ClientFrame.Of(WsOpcode.Ping, new byte[126]) },
                { "close of 126 bytes", 1002, ClientFrame.Of(WsOpcode.Close, ClientFrame.ClosePayload(1000, new string('x', 124))) },
                { "close of one byte", 1002, ClientFrame.Of(WsOpcode.Close, [3]) },
                { "close 1005", 1002, ClientFrame.Of(WsOpcode.Close, ClientFrame.ClosePayload(1005)) },
                { "close 999", 1002, ClientFrame.Of(WsOpcode.Close, ClientFrame.ClosePayload(999)) },
                { "continuation of nothing", 1002, ClientFrame.Of(WsOpcode.Continuation, PingBytes) },
                { "a message within a message", 1002, [.. ClientFrame.Of(WsOpcode.Text, PingBytes, final: false), .. ClientFrame.Of(WsOpcode.Text, PingBytes)] },
                { "length over 2^63", 1002, ClientFrame.Of(WsOpcode.Text, PingBytes, announcedLength: 1UL << 63) },
                { "binary", 1003, ClientFrame.Of(WsOpcode.Binary, PingBytes) },
                { "binary fragment", 1003, ClientFrame.Of(WsOpcode.Binary, PingBytes, final: false) },
                { "text that is not UTF-8", 1007, ClientFrame.Of(WsOpcode.Text, [0x22, 0xFF, 0x22]) },
                { "text that ends within a character", 1007, ClientFrame.Of(WsOpcode.Text, [0x22, 0xE9, 0xBB]) },
                { "a surrogate in UTF-8", 1007, ClientFrame.Of(WsOpcode.Text, [0x22, 0xED, 0xA0, 0x80, 0x22]) },
                { "an overlong slash", 1007, ClientFrame.Of(WsOpcode.Text, [0x22, 0xC0, 0xAF, 0x22]) },
                { "bad UTF-8 over two fragments", 1007, [.. ClientFrame.Of(WsOpcode.Text, [0x22, 0xE9], final: false), .. ClientFrame.Of(WsOpcode.Continuation, [0x22, 0x22])] },
                { "one byte over the limit", 1009, ClientFrame.Of(WsOpcode.Text, Blanks(MessageLimit + 1)) },
                { "a terabyte announced", 1009, ClientFrame.Of(WsOpcode.Text, PingBytes, announcedLength: 1UL << 40) },
                { "fragments that add up to more than the limit", 1009, [.. ClientFrame.Of(WsOpcode.Text, Blanks(MessageLimit), final: false), .. ClientFrame.Of(WsOpcode.Continuation, Blanks(1), final: false)] },
            };
            foreach (var reserved in (int[])[1, 2, 4])
                data.Add($"reserved bit {reserved}", 1002, ClientFrame.Of(WsOpcode.Text, PingBytes, reserved: reserved));
            foreach (var opcode in (byte[])[3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
                data.Add($"opcode {opcode}", 1002, ClientFrame.Of((WsOpcode)opcode, []));
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(WrongBytes))]
    public async Task Invalid_bytes_close_only_their_connection_with_the_right_code(string what, int code, byte[] bytes)
    {
        var room = Room.New();
        await using var bystander = await WsClient.ConnectAsync(_farm.NodePort);
        await bystander.JoinAsync(room);
        await using var client = await WsClient.ConnectAsync(_farm.NodePort);
        await client.JoinAsync(room);

        await client.SendBytesAsync(bytes);
        var end = await client.EndAsync();
        Assert.True(end.Code == code && end.Error is null, $"{what}: {end}");

        await Http.PublishAsync(_farm, room, "1");
        await bystander.NextItemsAsync(room, 1);
    }

    [Fact]
    public async Task A_message_of_the_largest_size_is_answered_whole_or_in_fragments()
    {
        await using var client = await WsClient.ConnectAsync(_farm.NodePort);
        var message = Encoding.UTF8.GetBytes(Ping + new string(' ', MessageLimit - Ping.Length));
        await client.SendBytesAsync(ClientFrame.Of(WsOpcode.Text, message));
        await client.NextAsync("PONG");
        await client.SendBytesAsync([.. ClientFrame.Of(WsOpcode.Text, message.AsSpan(0, 100), final: false), .. ClientFrame.Of(WsOpcode.Continuation, message.AsSpan(100))]);
        await client.NextAsync("PONG");
        await client.PingAsync();
    }

    [Fact]
    public async Task Fragments_with_a_ping_between_them_make_one_message()
    {
        var room = Room.New("默");
        var join = Encoding.UTF8.GetBytes($$$"""{"type":"JOIN","data":{"room":"{{{room}}}"}}""");
        var withinCharacter = Array.IndexOf(join, (byte)0xE9) + 1;
        await using var client = await WsClient.ConnectAsync(_farm.NodePort);
        await client.SendBytesAsync(ClientFrame.Of(WsOpcode.Text, join.AsSpan(0, withinCharacter), final: false));
        await client.SendBytesAsync(ClientFrame.Of(WsOpcode.Ping, "between"u8));
        Assert.Equal("between"u8.ToArray(), await client.NextPongAsync());
        await client.SendBytesAsync(ClientFrame.Of(WsOpcode.Continuation, [], final: false));
        await client.SendBytesAsync(ClientFrame.Of(WsOpcode.Continuation, join.AsSpan(withinCharacter)));
        Assert.Equal(room, (await client.NextAsync("JOINED")).Room);
    }

    [Fact]
    public async Task A_request_sent_byte_by_byte_is_answered()
    {
        await using var client = await WsClient.ConnectAsync(_farm.NodePort);
        foreach (var value in ClientFrame.Text(Ping))
            await client.SendBytesAsync([value]);
        await client.NextAsync("PONG");
    }

    [Fact]
    public async Task Five_hundred_requests_in_one_write_are_all_answered()
    {
        await using var client = await WsClient.ConnectAsync(_farm.NodePort);
        await client.SendBytesAsync([.. Enumerable.Range(0, 500).SelectMany(i => ClientFrame.Text($$$"""{"type":"PING","data":{},"id":"{{{i}}}"}"""))]);
        for (var i = 0; i < 500; i++)
            Assert.Equal($"\"{i}\"", (await client.NextAsync("PONG")).Id);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(125)]
    public async Task A_ping_is_answered_with_its_own_payload(int length)
    {
        var payload = Enumerable.Range(0, length).Select(i => (byte)(i * 7)).ToArray();
        await using var client = await WsClient.ConnectAsync(_farm.NodePort);
        await client.SendBytesAsync(ClientFrame.Of(WsOpcode.Ping, payload));
        Assert.Equal(payload, await client.NextPongAsync());
    }

    [Fact]
    public async Task An_unsolicited_pong_is_ignored()
    {
        await using var client = await WsClient.ConnectAsync(_farm.NodePort);
        await client.SendBytesAsync(ClientFrame.Of(WsOpcode.Pong, "unasked"u8));
        await client.PingAsync();
    }

    [Theory]
    [InlineData(1000, "bye")]
    [InlineData(1001, "")]
    [InlineData(3000, "library")]
    [InlineData(4999, "application")]
    public async Task A_close_frame_is_echoed_and_the_stream_ends(int code, string reason)
    {
        await using var client = await WsClient.ConnectAsync(_farm.NodePort, options: new WsOptions { EchoesClose = false });
        await client.SendBytesAsync(ClientFrame.Of(WsOpcode.Close, ClientFrame.ClosePayload(code, reason)));
        var end = await client.EndAsync();
        Assert.True(end.Code == code && end.Error is null, end.ToString());
    }

    [Fact]
    public async Task An_empty_close_frame_is_answered_with_a_close_frame()
    {
        await using var client = await WsClient.ConnectAsync(_farm.NodePort, options: new WsOptions { EchoesClose = false });
        await client.SendBytesAsync(ClientFrame.Of(WsOpcode.Close, []));
        var end = await client.EndAsync();
        Assert.True(end.Code is 1000 or 1005 && end.Error is null, end.ToString());
    }

    [Fact]
    public async Task Bytes_after_a_close_frame_are_not_answered()
    {
        await using var client = await WsClient.ConnectAsync(_farm.NodePort, options: new WsOptions { EchoesClose = false });
        await client.SendBytesAsync([.. ClientFrame.Text(Ping), .. ClientFrame.Of(WsOpcode.Close, ClientFrame.ClosePayload(1000)), .. ClientFrame.Text(Ping)]);
        await client.NextAsync("PONG");
        var end = await client.EndAsync();
        Assert.True(end.Code == 1000 && end.Error is null, end.ToString());
    }

    [Fact]
    public async Task Truncated_frames_then_RST_or_FIN_leave_no_connection_behind()
    {
        var before = (await Metrics.ScrapeAsync(_farm))["push_connections"];
        var whole = ClientFrame.Of(WsOpcode.Text, Encoding.UTF8.GetBytes(WsClient.JoinText(Room.New())));
        for (var cut = 0; cut <= whole.Length; cut++)
        {
            await using var client = await WsClient.ConnectAsync(_farm.NodePort);
            await client.SendBytesAsync(whole[..cut]);
            if (cut % 2 == 0)
            {
                client.Reset();
            }
            else
            {
                client.Finish();
                await client.EndAsync();
            }
        }

        await Metrics.UntilAsync(_farm, metrics => metrics["push_connections"] <= before, $"at most {before} connections are left");
    }

    [Fact]
    public async Task Random_bytes_after_the_handshake_affect_no_other_client()
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var room = Room.New();
        await using var bystander = await WsClient.ConnectAsync(_farm.NodePort);
        await bystander.JoinAsync(room);
        for (var i = 0; i < 200; i++)
        {
            var bytes = new byte[random.Next(1, 2000)];
            random.NextBytes(bytes);
            if (random.Next(2) == 0)
                bytes[0] = (byte)(0x80 | random.Next(16)); // Passes the first check more often.
            await using var client = await WsClient.ConnectAsync(_farm.NodePort);
            await client.SendHostileAsync(bytes);
            if (random.Next(2) == 0)
                client.Reset();
        }

        await Http.PublishAsync(_farm, room, "1");
        await bystander.NextItemsAsync(room, 1);
        await bystander.PingAsync();
    }

    private static byte[] Blanks(int length) => Encoding.UTF8.GetBytes(new string(' ', length));

    [Collection(EpollFarmDefinition.Name)]
    public sealed class OverEpoll(FarmFixture fixture) : WebSocketFramingTests(fixture, NodeTransport.Epoll);

    [Collection(KestrelFarmDefinition.Name)]
    public sealed class OverKestrel(FarmFixture fixture) : WebSocketFramingTests(fixture, NodeTransport.Stream);
}
