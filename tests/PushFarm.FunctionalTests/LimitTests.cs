using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using PushFarm.FunctionalTests.Harness;

namespace PushFarm.FunctionalTests;

/// <summary>Who may connect, how many, and how a handshake must look.</summary>
public abstract class LimitTests(FarmFixture fixture, NodeTransport transport) : TransportTests(transport)
{
    private readonly ProgramProcess _farm = fixture.Over(transport);

    [Fact]
    public async Task A_full_node_refuses_the_upgrade_until_a_client_leaves()
    {
        await using var farm = await StartFarmAsync(("Push:Connections:Max", "3"));
        var clients = new List<WsClient>();
        for (var i = 0; i < 3; i++)
            clients.Add(await WsClient.ConnectAsync(farm.NodePort));
        for (var i = 0; i < 5; i++)
        {
            var (client, answer) = await WsClient.TryConnectAsync(farm.NodePort);
            Assert.Null(client);
            Assert.Equal(503, answer.Status);
        }

        clients[0].Reset();
        await Wait.UntilAsync(
            async () =>
            {
                var (client, _) = await WsClient.TryConnectAsync(farm.NodePort);
                if (client is not null)
                    clients.Add(client);
                return client is not null;
            },
            "a client is accepted in place of the one that left");
        await clients[^1].PingAsync();
        await clients[1].PingAsync();
        foreach (var client in clients)
            await client.DisposeAsync();
    }

    [Fact]
    public async Task An_origin_list_lets_in_only_its_origins()
    {
        await using var farm = await StartFarmAsync(("Push:Connections:AllowedOrigins", "https://a.example;https://b.example:8443"));
        foreach (var (origin, status) in new[]
        {
            ("https://a.example", 101), ("https://b.example:8443", 101),
            ("https://c.example", 403), ("http://a.example", 403), ("https://a.example:8443", 403), ("https://b.example", 403),
            ("https://a.example.evil.example", 403), ("https://sub.a.example", 403), ("null", 403),
        })
        {
            var (client, answer) = await WsClient.TryConnectAsync(farm.NodePort, options: new WsOptions { ExtraHeaders = $"Origin: {origin}\r\n" });
            Assert.True(answer.Status == status, $"{origin}: {answer.Status}");
            if (client is not null)
                await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task Every_origin_is_let_in_by_default()
    {
        await using var client = await WsClient.ConnectAsync(_farm.NodePort, options: new WsOptions { ExtraHeaders = "Origin: https://anywhere.example\r\n" });
        await client.PingAsync();
    }

    [Fact]
    public async Task Rooms_per_connection_and_message_bytes_are_settings()
    {
        await using var farm = await StartFarmAsync(("Push:Connections:MaxRooms", "2"), ("Push:Connections:MaxMessageBytes", "512"));
        await using var client = await WsClient.ConnectAsync(farm.NodePort);
        await client.JoinAsync("a");
        await client.JoinAsync("b");
        await client.SendAsync(WsClient.JoinText("c"));
        Assert.Equal("room_limit", (await client.NextAsync("ERROR")).Code);
        await client.SendAsync($$"""{"type":"PING","data":{}{{new string(' ', 486)}}}""");
        await client.NextAsync("PONG");
        await client.SendAsync(new string(' ', 513));
        Assert.Equal(1009, (await client.EndAsync()).Code);
    }

    [Fact]
    public async Task Who_sends_too_many_messages_is_told_once_and_then_closed_with_4029()
    {
        await using var farm = await StartFarmAsync(("Push:Connections:MessagesPerSecond", "1"), ("Push:Connections:MessageBurst", "100"), ("Push:Connections:CloseTimeout", "00:00:01"));
        await using var client = await WsClient.ConnectAsync(farm.NodePort);
        await using var other = await WsClient.ConnectAsync(farm.NodePort);
        // The rate lets a few more pass while this runs.
        await client.SendBytesAsync([.. Enumerable.Repeat(ClientFrame.Text("""{"type":"PING"}"""), 150).SelectMany(frame => frame)]);
        var answers = new List<ServerMessage>();
        while (answers.Count == 0 || answers[^1].Type == "PONG")
            answers.Add(await client.NextAsync());
        Assert.InRange(answers.Count - 1, 100, 149);
        Assert.Equal("rate_limited", answers[^1].Code);

        await client.SendHostileAsync([.. Enumerable.Repeat(ClientFrame.Text("{}"), 1000).SelectMany(frame => frame)]);
        Assert.Equal(4029, (await client.EndAsync()).Code);
        await other.PingAsync();
        var metrics = await Metrics.UntilAsync(farm, metrics => metrics["push_connections"] == 1, "the flooder is gone");
        Assert.Equal(1, metrics["push_connections_closed_total{reason=\"rate_limited\"}"]);
        Assert.InRange(metrics["push_client_messages_refused_total"], 100, 1150);
    }

    [Theory]
    [InlineData("/ws")]
    [InlineData("/connect")]
    public async Task A_wrong_handshake_is_refused_with_the_right_status(string path)
    {
        var port = _farm.NodePort;
        var version = await RawHttp.SendAsync(port, RawHttp.Upgrade(path, version: "8"));
        Assert.Equal((426, "13"), (version.Status, version.Headers["Sec-WebSocket-Version"]));
        Assert.Equal(400, (await RawHttp.SendAsync(port, RawHttp.Upgrade(path, key: null))).Status);
        Assert.Equal(400, (await RawHttp.SendAsync(port, RawHttp.Upgrade(path, key: "short"))).Status);
        Assert.Equal(405, (await RawHttp.SendAsync(port, RawHttp.Upgrade(path, method: "POST"))).Status);
        Assert.InRange((await RawHttp.SendAsync(port, $"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")).Status, 400, 426);
    }

    [Fact]
    public async Task A_path_that_is_none_is_404()
    {
        Assert.Equal(404, (await RawHttp.SendAsync(_farm.NodePort, RawHttp.Upgrade("/no-such-path"))).Status);
    }

    [Theory]
    [InlineData("")]
    [InlineData("G")]
    [InlineData("GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgr")]
    public async Task A_handshake_that_does_not_come_to_its_end_is_cut(string sent)
    {
        await using var farm = await StartFarmAsync(("Push:Connections:HandshakeTimeout", "00:00:02"));
        using var socket = new TcpClient();
        await socket.ConnectAsync("127.0.0.1", farm.NodePort, TestContext.Current.CancellationToken);
        await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(sent), TestContext.Current.CancellationToken);
        var clock = Stopwatch.StartNew();
        await Wait.ForAsync(ReadToEndAsync(socket), "the end of a connection that never became one", () => farm.Log);
        TestContext.Current.TestOutputHelper!.WriteLine($"cut after {clock.Elapsed.TotalSeconds:0.0} s");
    }

    [Fact]
    public async Task Metrics_and_health_are_on_the_management_port_alone_whatever_the_Host_header_says()
    {
        var farm = _farm;
        foreach (var port in (int[])[farm.NodePort, farm.ApiPort])
        {
            foreach (var host in (string[])["localhost", $"localhost:{farm.ManagementPort}", $"127.0.0.1:{farm.ManagementPort}"])
            {
                foreach (var path in (string[])["/metrics", "/healthz", "/readyz"])
                    Assert.Equal(404, (await RawHttp.SendAsync(port, $"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")).Status);
            }
        }

        Assert.Equal(404, (await RawHttp.SendAsync(farm.ManagementPort, RawHttp.Upgrade("/ws"))).Status);
        Assert.Equal(404, (await RawHttp.SendAsync(farm.ManagementPort, $"POST /v1/broadcast HTTP/1.1\r\nHost: localhost:{farm.ApiPort}\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n1")).Status);
        Assert.Equal(404, (await RawHttp.SendAsync(farm.ApiPort, RawHttp.Upgrade("/ws"))).Status);
        Assert.Equal(404, (await RawHttp.SendAsync(farm.NodePort, "POST /v1/broadcast HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n1")).Status);
    }

    private static async Task ReadToEndAsync(TcpClient socket)
    {
        var buffer = new byte[4096];
        try
        {
            while (await socket.GetStream().ReadAsync(buffer) > 0)
            {
                // Perhaps an answer 408; only the end matters.
            }
        }
        catch (IOException)
        {
            // Expected: an RST is an end as well.
        }
    }

    public sealed class OverEpoll(FarmFixture fixture) : LimitTests(fixture, NodeTransport.Epoll);

    public sealed class OverKestrel(FarmFixture fixture) : LimitTests(fixture, NodeTransport.Stream);
}
