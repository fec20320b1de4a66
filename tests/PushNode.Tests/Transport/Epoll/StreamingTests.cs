using System.Text;
using TestSupport.Clients;

namespace PushNode.Tests.Transport.Epoll;

/// <summary><c>/sse</c> and <c>/stream</c> of a whole node over each transport, with clients that behave well, or do not.</summary>
[Collection(EpollTests.Name)]
public sealed class StreamingTests
{
    /// <summary>How the node is reached, and what carries its connections.</summary>
    public static TheoryData<string> Transports => ["epoll", "stream", "tls"];

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task The_head_allows_every_page_and_keeps_proxies_from_collecting(string transport)
    {
        await using var node = await StartAsync(transport);
        await using var sse = await ConnectAsync(node, transport, "/sse?room=a", "Origin: http://page.example\r\n");
        await using var stream = await ConnectAsync(node, transport, "/stream?room=a", "Accept: text/html\r\n");
        foreach (var (client, type) in ((StreamClient, string)[])[(sse, "text/event-stream"), (stream, "application/x-ndjson")])
        {
            Assert.Equal(type, client.Answer.Headers["Content-Type"]);
            Assert.Equal("no-store, no-transform", client.Answer.Headers["Cache-Control"]);
            Assert.Equal("no", client.Answer.Headers["X-Accel-Buffering"]);
            Assert.Equal("close", client.Answer.Headers["Connection"]);
            Assert.Equal("*", client.Answer.Headers["Access-Control-Allow-Origin"]);
            Assert.DoesNotContain("Content-Length", client.Answer.Headers.Keys);
        }
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Clients_get_messages_heartbeats_and_a_clean_end(string transport)
    {
        // All of the drain's time must not pass before it closes the clients.
        await using var node = await StartAsync(transport, ("Push:Connections:HeartbeatAfter", "00:00:00.1"), ("Push:Drain:Deadline", "00:01:00"));
        await using var sse = await ConnectAsync(node, transport, "/sse?room=a&room=x%2Fy");
        await using var stream = await ConnectAsync(node, transport, "/stream?room=a&room=x%2Fy");
        StreamClient[] clients = [sse, stream];
        foreach (var client in clients)
        {
            Assert.Equal("a", (await client.NextAsync("JOINED")).Room);
            Assert.Equal("bad_room", (await client.NextAsync("ERROR")).Code);
        }

        // Larger than the pipes and the kernel's buffers.
        foreach (var text in (string[])["默认\\n", new string('x', 200_000)])
        {
            await node.PublishAsync("a", $"{{\n\"text\": \"{text}\"\r\n}}");
            foreach (var client in clients)
                Assert.Equal($"{{ \"text\": \"{text}\"  }}", Assert.Single((await client.NextAsync("PUSH")).Items));
        }

        await Eventually.HoldsAsync(() => clients.All(client => client.Heartbeats > 0), "heartbeats come");
        await node.StopAsync();
        foreach (var client in clients)
        {
            var end = await client.EndAsync();
            Assert.True(end is { Code: 1001, IsComplete: true, Error: null }, end.ToString());
            Assert.Equal(client == sse ? end.Reason : "retry=", $"retry={end.Retry}");
        }

        await Eventually.HoldsAsync(() => node.Metrics.Read("push.connections_closed", "draining") == 2, "both have ended");
        node.Metrics.AssertDeliveriesClose();
    }

    [Theory]
    [InlineData("HEAD /sse HTTP/1.1\r\nHost: x\r\n\r\n", "405", "Allow: GET")]
    [InlineData("POST /sse HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", "405", "Allow: GET")]
    [InlineData("OPTIONS /stream HTTP/1.1\r\nHost: x\r\nOrigin: http://a.example\r\nAccess-Control-Request-Method: GET\r\n\r\n", "405", "Allow: GET")]
    [InlineData("get /stream HTTP/1.1\r\nHost: x\r\n\r\n", "405", "Allow: GET")]
    [InlineData("GET /stream HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n", "426", "Upgrade: HTTP/1.1")]
    [InlineData("GET /sse HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n", "400", "it accepts none")]
    [InlineData("GET /sse HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400", "it accepts none")]
    [InlineData("GET /sse HTTP/1.1\r\nHost: x\r\nOrigin: http://evil.example\r\n\r\n", "403", "origin")]
    [InlineData("GET /sse HTTP/1.1\r\n\r\n", "400", "")]
    public async Task What_is_not_a_request_for_a_stream_is_refused_with_a_sentence(string request, string status, string expected)
    {
        await using var node = await NodeHost.StartAsync(settings: ("Push:Connections:AllowedOrigins", "http://a.example"));
        using var client = await RawClient.ConnectAsync(node.EndPoint);
        await client.SendAsync(request);
        var answer = Encoding.UTF8.GetString(await client.ReadToEndAsync());
        Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
        Assert.Contains(expected, answer, StringComparison.Ordinal);
        await node.IsEmptyAsync();
        Assert.Equal(0, node.Metrics.Read("push.connections_accepted"));
    }

    [Fact]
    public async Task Only_the_pages_that_may_connect_may_read_the_answer_a_refusal_too()
    {
        await using var node = await NodeHost.StartAsync(settings: [("Push:Connections:AllowedOrigins", "http://a.example"), ("Push:Connections:Max", "1")]);
        await using var client = await StreamClient.ConnectAsync(node.Port, "/sse", headers: "Origin: http://a.example\r\n");
        Assert.Equal(("http://a.example", "Origin"), (client.Answer.Headers["Access-Control-Allow-Origin"], client.Answer.Headers["Vary"]));
        var full = await RawHttp.SendAsync(node.Port, "GET /stream HTTP/1.1\r\nHost: x\r\nOrigin: http://a.example\r\n\r\n");
        Assert.Equal((503, "1"), (full.Status, full.Headers["Retry-After"]));
        Assert.Equal("http://a.example", full.Headers["Access-Control-Allow-Origin"]);
        Assert.Equal(1, node.Metrics.Read("push.connections_refused", "full"));
    }

    [Fact]
    public async Task Curls_offer_of_HTTP_2_and_a_large_head_are_no_obstacle_but_a_giant_one_is()
    {
        await using var node = await NodeHost.StartAsync();
        await using var client = await StreamClient.ConnectAsync(
            node.Port, "/stream?room=a", headers: $"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nCookie: {new string('x', 20_000)}\r\n");
        await client.NextAsync("JOINED");
        Assert.Equal(431, (await RawHttp.SendAsync(node.Port, $"GET /stream HTTP/1.1\r\nHost: x\r\nCookie: {new string('x', 40_000)}\r\n\r\n")).Status);
    }

    /// <summary>They would be handled by HTTP on a connection that it still owned.</summary>
    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Requests_behind_the_first_one_are_not_answered(string transport)
    {
        await using var node = await StartAsync(transport);
        await using var client = await ConnectAsync(node, transport, "/stream?room=a", behind: RawClient.Get("/sse?room=b") + RawClient.Handshake("/ws?room=c"));
        Assert.Equal("a", (await client.NextAsync("JOINED")).Room);
        await node.PublishAsync("a", "1");
        Assert.Equal("a", (await client.NextAsync("PUSH")).Room);
        Assert.Equal((1, 1), (node.Open, node.Admitted));
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_client_that_ends_its_side_is_gone_at_once(string transport)
    {
        await using var node = await StartAsync(transport);
        for (var i = 0; i < 20; i++)
        {
            await using var client = await ConnectAsync(node, transport, "/sse?room=a");
            await client.NextAsync("JOINED");
            client.Finish();
            await client.EndAsync();
        }

        await node.IsEmptyAsync();
        Assert.Equal(20, node.Metrics.Read("push.connections_closed", "client"));
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_client_that_resets_its_connection_is_lost(string transport)
    {
        await using var node = await StartAsync(transport);
        await using var client = await ConnectAsync(node, transport, "/sse?room=a");
        await client.NextAsync("JOINED");
        client.Reset();
        await node.IsEmptyAsync();
        Assert.Equal(1, node.Metrics.Read("push.connections_closed", "lost"));
    }

    [Theory]
    [InlineData("/sse")]
    [InlineData("/stream")]
    public async Task An_end_right_after_the_request_leaks_nothing(string path)
    {
        await using var node = await NodeHost.StartAsync();
        for (var i = 0; i < 200; i++)
        {
            using var client = await RawClient.ConnectAsync(node.EndPoint);
            await client.SendAsync(RawClient.Get($"{path}?room=a"));
            if (i % 2 == 0)
                client.Finish();
            else
                client.Reset();
            await ReadAnythingAsync(client, i % 2 == 0);
        }

        await node.IsEmptyAsync();
        await node.ServesAsync();
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_flood_of_bytes_ends_with_4029_and_another_client_gets_everything(string transport)
    {
        await using var node = await StartAsync(
            transport, ("Push:Connections:MessagesPerSecond", "10"), ("Push:Connections:MessageBurst", "20"), ("Push:Connections:CloseTimeout", "00:00:02"));
        await using var quiet = await ConnectAsync(node, transport, "/sse?room=a");
        await using var hostile = await ConnectAsync(node, transport, "/sse?room=a");
        await quiet.NextAsync("JOINED");
        // What TLS carries would have to be encrypted; the node sees a broken record in that case, and the connection is lost.
        while (!hostile.Ended.IsCompleted && await hostile.SendAsync(new byte[8192]))
            await Task.Yield();
        var end = await hostile.EndAsync();
        if (transport != "tls")
            Assert.Equal((4029, "too many messages"), (end.Code, end.Reason));
        await Eventually.HoldsAsync(() => node.Open == 1, "the hostile client is cut");
        await node.PublishAsync("a", "1");
        await quiet.NextAsync("PUSH");
        Assert.Equal(1, node.Metrics.Read("push.connections_closed", transport == "tls" ? "lost" : "rate_limited"));
    }

    private static Task<NodeHost> StartAsync(string transport, params (string Key, string Value)[] settings) => NodeHost.StartAsync(
        transport == "tls" ? "https://127.0.0.1:0" : "http://127.0.0.1:0",
        configure: TestCertificate.Use,
        settings: [("Push:Transport", transport == "epoll" ? "Epoll" : "Stream"), .. settings]);

    private static Task<StreamClient> ConnectAsync(NodeHost node, string transport, string target, string headers = "", string behind = "") =>
        StreamClient.ConnectAsync(node.Port, target, headers: headers, behind: behind, secure: transport == "tls" ? SecureAsync : null);

    private static async Task<Stream> SecureAsync(Stream stream) => await TestCertificate.TrustAsync(stream);

    private static async Task ReadAnythingAsync(RawClient client, bool isOpen)
    {
        if (isOpen)
            await client.ReadToEndAsync();
    }
}
