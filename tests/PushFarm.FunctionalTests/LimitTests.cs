using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>Limits of connections, origins and handshakes.</summary>
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
        await Eventually.HoldsAsync(
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
    public async Task An_origin_list_allows_only_its_origins()
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
    public async Task Every_origin_is_allowed_by_default()
    {
        await using var client = await WsClient.ConnectAsync(_farm.NodePort, options: new WsOptions { ExtraHeaders = "Origin: https://anywhere.example\r\n" });
        await client.PingAsync();
    }

    [Fact]
    public async Task Rooms_per_connection_and_message_bytes_are_configurable()
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
    public async Task A_client_that_sends_too_much_gets_one_error_and_is_closed_with_4029()
    {
        await using var farm = await StartFarmAsync(("Push:Connections:MessagesPerSecond", "1"), ("Push:Connections:MessageBurst", "100"), ("Push:Connections:CloseTimeout", "00:00:01"));
        await using var client = await WsClient.ConnectAsync(farm.NodePort);
        await using var other = await WsClient.ConnectAsync(farm.NodePort);
        // The rate allows a few more meanwhile.
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
    public async Task An_invalid_handshake_is_refused_with_the_right_status(string path)
    {
        var port = _farm.NodePort;
        var version = await RawHttp.SendAsync(port, RawHttp.Upgrade(path, version: "8"));
        Assert.Equal((426, "13"), (version.Status, version.Headers["Sec-WebSocket-Version"]));
        Assert.Equal(400, (await RawHttp.SendAsync(port, RawHttp.Upgrade(path, key: null))).Status);
        Assert.Equal(400, (await RawHttp.SendAsync(port, RawHttp.Upgrade(path, key: "short"))).Status);
        Assert.Equal(405, (await RawHttp.SendAsync(port, RawHttp.Upgrade(path, method: "POST"))).Status);
        Assert.Equal(426, (await RawHttp.SendAsync(port, $"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")).Status);
    }

    /// <summary>RFC 6455, 4.2.1, point by point.</summary>
    [Theory]
    [InlineData("GET /ws HTTP/1.1", "GET /ws HTTP/1.0", 426)]
    [InlineData("GET /ws HTTP/1.1", "get /ws HTTP/1.1", 405)]
    [InlineData("GET /ws HTTP/1.1", "HEAD /ws HTTP/1.1", 405)]
    [InlineData("Host: localhost\r\n", "", 400)]
    [InlineData("Host: localhost", "Host: ", 400)]
    [InlineData("Host: localhost", "Host: localhost\r\nHost: localhost", 400)]
    [InlineData("Upgrade: websocket\r\n", "", 426)]
    [InlineData("Upgrade: websocket", "Upgrade: h2c", 426)]
    [InlineData("Upgrade: websocket", "Upgrade: websockets", 426)]
    [InlineData("Upgrade: websocket", "Upgrade: websocket/13", 426)]
    [InlineData("Connection: keep-alive, Upgrade\r\n", "", 426)]
    [InlineData("Connection: keep-alive, Upgrade", "Connection: keep-alive", 426)]
    [InlineData("Connection: keep-alive, Upgrade", "Connection: Upgrader", 426)]
    [InlineData("Connection: keep-alive, Upgrade", "Connection: no-Upgrade", 426)]
    [InlineData("Sec-WebSocket-Version: 13\r\n", "", 426)]
    [InlineData("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 013", 426)]
    [InlineData("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 13, 8", 426)]
    [InlineData("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 13", 426)]
    [InlineData("dGhlIHNhbXBsZSBub25jZQ==", "", 400)]
    [InlineData("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBs ZSBub25jZQ==", 400)]
    [InlineData("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBs\tZSBub25jZQ==", 400)]
    [InlineData("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ", 400)]
    [InlineData("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25j", 400)]
    [InlineData("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZSE=", 400)]
    [InlineData("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZSEh", 400)]
    [InlineData("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25j_Q==", 400)]
    [InlineData("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", 400)]
    [InlineData("Host: localhost", "Host: localhost\r\nContent-Length: 1", 426)]
    public async Task A_handshake_that_RFC_6455_forbids_is_refused(string right, string wrong, int status)
    {
        var request = RawHttp.Upgrade("/ws").Replace(right, wrong, StringComparison.Ordinal);
        var answer = await RawHttp.SendAsync(_farm.NodePort, request);
        Assert.Equal(status, answer.Status);
        if (status == 426)
            Assert.Equal(("13", "websocket"), (answer.Headers["Sec-WebSocket-Version"], answer.Headers["Upgrade"]));
    }

    [Theory]
    [InlineData("Upgrade: websocket", "uPGRADE: WebSocket")]
    [InlineData("Upgrade: websocket", "Upgrade: h2c, websocket")]
    [InlineData("Connection: keep-alive, Upgrade", "cONNECTION:uPGRADE")]
    [InlineData("Connection: keep-alive, Upgrade", "Connection: keep-alive\r\nConnection: Upgrade")]
    [InlineData("GET /ws", "GET http://localhost/ws")]
    [InlineData("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "sec-websocket-key:   dGhlIHNhbXBsZSBub25jZQ==  ")]
    public async Task A_handshake_that_RFC_6455_allows_is_accepted(string usual, string unusual)
    {
        var answer = await RawHttp.SendAsync(_farm.NodePort, RawHttp.Upgrade("/ws").Replace(usual, unusual, StringComparison.Ordinal));
        Assert.Equal((101, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), (answer.Status, answer.Headers["Sec-WebSocket-Accept"]));
    }

    [Theory]
    [InlineData("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8", 426)]
    [InlineData("Upgrade: websocket\r\n", "", 426)]
    [InlineData("dGhlIHNhbXBsZSBub25jZQ==", "short", 400)]
    [InlineData("\r\n\r\n", "\r\nOrigin: http://evil.example\r\n\r\n", 403)]
    [InlineData("", "", 503)]
    public async Task A_refused_handshake_ends_its_connection(string right, string wrong, int status)
    {
        await using var farm = await StartFarmAsync(("Push:Connections:Max", "1"), ("Push:Connections:AllowedOrigins", "http://good.example"));
        await using var only = await WsClient.ConnectAsync(farm.NodePort);
        using var socket = new TcpClient();
        await socket.ConnectAsync("127.0.0.1", farm.NodePort, TestContext.Current.CancellationToken);
        var request = right.Length == 0 ? RawHttp.Upgrade("/ws") : RawHttp.Upgrade("/ws").Replace(right, wrong, StringComparison.Ordinal);
        await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request), TestContext.Current.CancellationToken);
        var answer = await Eventually.CompletesAsync(new StreamReader(socket.GetStream()).ReadToEndAsync(TestContext.Current.CancellationToken), "the end of a refused client's connection");
        Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
        // The deadline did not end it.
        Assert.Equal(0, (await Metrics.ScrapeAsync(farm))["push_handshakes_cut_total"]);
    }

    [Fact]
    public async Task An_unknown_path_is_404()
    {
        Assert.Equal(404, (await RawHttp.SendAsync(_farm.NodePort, RawHttp.Upgrade("/no-such-path"))).Status);
    }

    [Theory]
    [InlineData("")]
    [InlineData("G")]
    [InlineData("GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgr")]
    public async Task An_incomplete_handshake_is_cut(string sent)
    {
        await using var farm = await StartFarmAsync(("Push:Connections:HandshakeTimeout", "00:00:02"));
        using var socket = new TcpClient();
        await socket.ConnectAsync("127.0.0.1", farm.NodePort, TestContext.Current.CancellationToken);
        await TrySendAsync(socket, sent);
        var clock = Stopwatch.StartNew();
        await Eventually.CompletesAsync(ReadToEndAsync(socket), "the end of a connection that never became one", () => farm.Log);
        TestContext.Current.TestOutputHelper!.WriteLine($"cut after {clock.Elapsed.TotalSeconds:0.0} s");
    }

    [Fact]
    public async Task A_handshake_that_trickles_in_is_cut_at_the_deadline()
    {
        await using var farm = await StartFarmAsync(("Push:Connections:HandshakeTimeout", "00:00:02"));
        using var socket = new TcpClient();
        await socket.ConnectAsync("127.0.0.1", farm.NodePort, TestContext.Current.CancellationToken);
        await TrySendAsync(socket, "GET /ws HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
        var end = ReadToEndAsync(socket);
        await Eventually.HoldsAsync(
            async () =>
            {
                if (end.IsCompleted)
                    return true;
                await TrySendAsync(socket, "a");
                return false;
            },
            "the connection is cut although something comes all the time",
            () => farm.Log);
        Assert.Equal(1, (await Metrics.ScrapeAsync(farm))["push_handshakes_cut_total"]);
    }

    [Fact]
    public async Task Non_WebSocket_connections_are_limited_and_block_no_client()
    {
        const int Limit = 20;
        const int Idle = 200;
        await using var farm = await StartFarmAsync(
            ("Push:Connections:Max", "10"), ("Push:Connections:MaxHandshakes", $"{Limit}"), ("Push:Connections:HandshakeTimeout", "00:05:00"));
        using var publisher = new TcpClient();
        await publisher.ConnectAsync("127.0.0.1", farm.ApiPort, TestContext.Current.CancellationToken);
        var idle = new List<TcpClient>();
        var ends = new List<Task>();
        while (idle.Count < Idle)
        {
            var socket = new TcpClient();
            idle.Add(socket);
            try
            {
                await socket.ConnectAsync("127.0.0.1", farm.NodePort, TestContext.Current.CancellationToken);
            }
            catch (SocketException)
            {
                // Expected: the node may cut a newcomer before its connect has returned. Only those that it cut are counted below.
                ends.Add(Task.CompletedTask);
                continue;
            }

            if (idle.Count % 2 == 0)
                await TrySendAsync(socket, "GET /ws HTTP/1.1\r\n");
            ends.Add(ReadToEndAsync(socket));
        }

        await Eventually.HoldsAsync(() => ends.Count(end => end.IsCompleted) >= Idle - Limit, "all but as many as may stand are cut", () => farm.Log);
        var metrics = await Metrics.ScrapeAsync(farm);
        Assert.Equal((Limit, Limit, Idle - Limit), ((int)metrics["push_handshakes_pending"], (int)metrics["push_handshakes_limit"], (int)metrics["push_handshakes_cut_total"]));
        await farm.WroteAsync("Push:Connections:MaxHandshakes");

        // A client that asks for a WebSocket replaces a connection that does not, once that one is a second old.
        var clients = new List<WsClient>();
        await Eventually.HoldsAsync(
            async () =>
            {
                try
                {
                    clients.Add(await WsClient.ConnectAsync(farm.NodePort));
                }
                catch (Exception refused) when (refused is IOException or SocketException)
                {
                    // Expected while all connections are younger than a second.
                }

                return clients.Count == 10;
            },
            "ten clients are let in",
            () => farm.Log);
        metrics = await Metrics.ScrapeAsync(farm);
        Assert.Equal(10, metrics["push_connections"]);
        Assert.InRange(metrics["push_handshakes_pending"], 0, Limit);

        // The publishers' port is unaffected.
        await publisher.GetStream().WriteAsync("GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
        Assert.True(await Eventually.CompletesAsync(publisher.GetStream().ReadAsync(new byte[1], TestContext.Current.CancellationToken).AsTask(), "an answer of the API") > 0);
        foreach (var client in clients)
            await client.DisposeAsync();
        idle.ForEach(socket => socket.Dispose());
    }

    [Fact]
    public async Task Metrics_and_health_are_only_on_the_management_port()
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

    /// <summary>Sends, unless the connection is cut.</summary>
    private static async Task TrySendAsync(TcpClient socket, string text)
    {
        try
        {
            await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(text), TestContext.Current.CancellationToken);
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            // Expected: cut. A socket that knows it has no stream.
        }
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
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            // Expected: an RST is an end as well, also before the first read.
        }
    }

    [Collection(EpollFarmDefinition.Name)]
    public sealed class OverEpoll(FarmFixture fixture) : LimitTests(fixture, NodeTransport.Epoll);

    [Collection(KestrelFarmDefinition.Name)]
    public sealed class OverKestrel(FarmFixture fixture) : LimitTests(fixture, NodeTransport.Stream);
}
