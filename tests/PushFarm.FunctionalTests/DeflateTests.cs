using System.Text;
using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>permessage-deflate over the wire: what a client offers, and messages of all sizes in both directions.</summary>
public abstract class DeflateTests(NodeTransport transport) : TransportTests(transport), IAsyncLifetime
{
    private const string Offer = "permessage-deflate; client_max_window_bits";
    private const string Answer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

    private ProgramProcess? _farm;

    /// <summary>The parameters of Autobahn's cases 13.1 to 13.7, and offers that come with others.</summary>
    public static TheoryData<string, string?> Offers => new()
    {
        { "permessage-deflate", Answer },
        { "permessage-deflate; client_max_window_bits", Answer },
        { "permessage-deflate; client_no_context_takeover; client_max_window_bits", Answer },
        { "permessage-deflate; server_no_context_takeover; client_max_window_bits", Answer },
        { "permessage-deflate; client_max_window_bits=8", Answer },
        { "permessage-deflate; client_max_window_bits=15; client_no_context_takeover", Answer },
        { "permessage-deflate; server_max_window_bits=15; client_max_window_bits", $"{Answer}; server_max_window_bits=15" },
        { "permessage-deflate; server_max_window_bits=8", null },
        { "permessage-deflate; server_max_window_bits=14; server_no_context_takeover", null },
        { "permessage-deflate; server_max_window_bits=9, permessage-deflate; server_max_window_bits=10, permessage-deflate", Answer },
        { "permessage-deflate; unknown=1", null },
        { "x-webkit-deflate-frame", null },
        { "foo; a=\"b\"\r\nSec-WebSocket-Extensions: permessage-deflate", Answer },
    };

    private ProgramProcess Farm => _farm ?? throw new InvalidOperationException("The farm is not started.");

    public async ValueTask InitializeAsync() => _farm = await StartFarmAsync(
        ("Push:Connections:MaxMessageBytes", "200000"), ("Push:Connections:MessagesPerSecond", "1000000"), ("Push:Connections:MessageBurst", "1000000"),
        ("PushApi:MaxMessageBytes", "200000"), ("Push:Merge:Window", "00:00:00.01"), ("Push:Merge:Gather", "00:00:00"));

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Farm.DisposeAsync();
    }

    [Fact]
    public async Task What_is_offered_decides_whether_a_client_gets_deflated_frames()
    {
        foreach (var (offer, answer) in Offers.Select(row => row.Data))
        {
            var room = Room.New();
            await using var client = await WsClient.ConnectAsync(Farm.NodePort, options: new WsOptions { Extensions = offer });
            Assert.Equal(answer, client.Extension);
            var join = WsClient.JoinText(room);
            await client.SendBytesAsync(answer is null ? ClientFrame.Text(join) : DeflatedClientFrame.Text(join));
            await client.NextAsync("JOINED");
            Assert.Equal(0, client.Deflated);

            var message = Json(3000, new Random(1));
            await Http.PublishAsync(Farm, room, message);
            Assert.Equal([message], await client.NextItemsAsync(room, 1));
            Assert.Equal(answer is null ? 0 : 1, client.Deflated);
        }
    }

    /// <summary>Autobahn's sizes (12.1 to 12.5), with text that repeats, that hardly does, and that is not ASCII; whole and in fragments.</summary>
    [Fact]
    public async Task Messages_of_all_sizes_come_through_both_ways()
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var room = Room.New();
        await using var client = await WsClient.ConnectAsync(Farm.NodePort, $"/ws?room={room}", new WsOptions { Extensions = Offer });
        await using var plain = await WsClient.ConnectAsync(Farm.NodePort, $"/ws?room={room}");
        await client.NextAsync("JOINED");
        await plain.NextAsync("JOINED");
        var deflated = 0;
        foreach (var size in (int[])[16, 64, 256, 1024, 4096, 8192, 16_384, 32_768, 65_536, 131_072])
        {
            foreach (var text in (string[])[new string('a', size - 2), Json(size, random)[1..^1], string.Concat(Enumerable.Repeat("默认", size / 6)), Random64(size - 2, random)])
            {
                var message = $"\"{text}\"";
                await Http.PublishAsync(Farm, room, message);
                Assert.Equal([message], await client.NextItemsAsync(room, 1));
                Assert.Equal([message], await plain.NextItemsAsync(room, 1));
                if (size >= 1024)
                    Assert.Equal(++deflated, client.Deflated);
                deflated = client.Deflated;

                var bytes = DeflatedClientFrame.Deflate(Encoding.UTF8.GetBytes($$"""{"type":"PING","pad":{{message}},"id":{{size}}}"""), random.Next(10));
                foreach (var fragment in (int[])[int.MaxValue / 2, 1 + size / 3, 256])
                {
                    await client.SendBytesAsync(DeflatedClientFrame.InFragments(bytes, fragment));
                    Assert.Equal($"{size}", (await client.NextAsync("PONG")).Id);
                }
            }
        }

        Assert.Equal(0, plain.Deflated);
    }

    [Fact]
    public async Task Only_batches_that_are_long_enough_are_deflated()
    {
        var room = Room.New();
        await using var client = await WsClient.ConnectAsync(Farm.NodePort, options: new WsOptions { Extensions = Offer });
        await client.JoinAsync(room);
        await Http.PublishAsync(Farm, room, $"\"{new string('a', 100)}\"");
        await client.NextItemsAsync(room, 1);
        await client.SendAsync($$"""{"type":"{{new string('a', 1000)}}"}""");
        await client.NextAsync("ERROR");
        await client.PingAsync();
        Assert.Equal(0, client.Deflated);
        await Http.PublishAsync(Farm, room, $"\"{new string('a', 600)}\"");
        await client.NextItemsAsync(room, 1);
        Assert.Equal(1, client.Deflated);
    }

    [Fact]
    public async Task A_malformed_offer_fails_the_handshake()
    {
        foreach (var header in (string[])["permessage-deflate;", "permessage-deflate; client_max_window_bits=\"1 5\"", "a b"])
        {
            var (client, answer) = await WsClient.TryConnectAsync(Farm.NodePort, options: new WsOptions { Extensions = header });
            Assert.Null(client);
            Assert.Equal(400, answer.Status);
        }
    }

    [Fact]
    public async Task A_node_without_compression_accepts_no_offer()
    {
        await using var farm = await StartFarmAsync(("Push:Compression:Enabled", "false"));
        var room = Room.New();
        await using var client = await WsClient.ConnectAsync(farm.NodePort, options: new WsOptions { Extensions = Offer });
        Assert.Null(client.Extension);
        await client.JoinAsync(room);
        await client.SendBytesAsync(DeflatedClientFrame.Text("{}"));
        Assert.Equal(1002, (await client.EndAsync()).Code);
    }

    /// <summary>An array of chats of about this many bytes.</summary>
    private static string Json(int bytes, Random random)
    {
        var text = new StringBuilder("[");
        while (text.Length < bytes)
            text.Append(text.Length > 1 ? "," : "").Append(random.Next(1_000_000));
        return text.Append(']').ToString();
    }

    private static string Random64(int characters, Random random)
    {
        var bytes = new byte[characters];
        random.NextBytes(bytes);
        return Convert.ToBase64String(bytes)[..characters];
    }

    public sealed class OverEpoll() : DeflateTests(NodeTransport.Epoll);

    public sealed class OverIoUring() : DeflateTests(NodeTransport.IoUring);

    public sealed class OverKestrel() : DeflateTests(NodeTransport.Stream);
}
