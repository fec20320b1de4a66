using System.Net;
using System.Net.Http.Headers;
using Microsoft.Extensions.DependencyInjection;
using PushNode.Tests.Access;
using PushNode.Tests.Transport.Epoll;
using TestSupport.Clients;

namespace PushNode.Tests.Endpoints;

/// <summary>Tokens of handshakes over real sockets: in the URL and in the header, over WebSocket, /sse and /stream.</summary>
public sealed class TokenHandshakeTests
{
    private static readonly string Alice = TestTokens.Make("""{"exp":4000000000,"sub":"alice","join":["a"]}""");
    private static readonly string Old = TestTokens.Make("""{"exp":1000000000,"sub":"alice","join":["a"]}""");

    [Fact]
    public async Task A_token_in_the_URL_or_in_the_header_gives_its_rights()
    {
        await using var node = await StartAsync("Required");
        foreach (var (target, headers) in new[]
        {
            ($"/ws?room=a&room=b&token={Alice}", ""), ($"/ws?token={Alice.Replace(".", "%2E", StringComparison.Ordinal)}&room=a&room=b", ""),
            ("/ws?room=a&room=b", $"Authorization: Bearer {Alice}\r\n"), ($"/ws?room=a&room=b&token={Alice}", $"authorization: bearer  {Alice}\r\n"),
            ($"/ws?room=a&room=b&token={Alice}", "Authorization: Basic YTpi\r\n"),
        })
        {
            await using var client = await WsClient.ConnectAsync(node.Port, target, new WsOptions { ExtraHeaders = headers });
            Assert.Equal("a", (await client.NextAsync("JOINED")).Room);
            Assert.Equal("forbidden", (await client.NextAsync("ERROR")).Code);
        }

        foreach (var path in new[] { "/sse", "/stream" })
        {
            await using var client = await StreamClient.ConnectAsync(node.Port, $"{path}?room=a&room=b", headers: $"Authorization: Bearer {Alice}\r\n");
            Assert.Equal("a", (await client.NextAsync("JOINED")).Room);
            Assert.Equal("forbidden", (await client.NextAsync("ERROR")).Code);
        }

        Assert.Equal(7, node.Metrics.Read("push.tokens", "accepted"));
    }

    [Theory]
    [InlineData("expired", "token expired")]
    [InlineData("other", "token invalid: signature")]
    [InlineData("empty", "token invalid: malformed")]
    [InlineData("two", "token invalid: malformed")]
    public async Task A_bad_token_is_told_by_a_close_frame_or_a_status(string token, string text)
    {
        await using var node = await StartAsync("Optional");
        var (query, headers) = token switch
        {
            "expired" => ($"token={Old}", ""),
            "other" => ("", $"Authorization: Bearer {Alice[..^5]}AAAAA\r\n"),
            "empty" => ("token=", ""),
            _ => ($"token={Alice}", $"Authorization: Bearer {Old}\r\n"),
        };
        await using (var client = await WsClient.ConnectAsync(node.Port, $"/ws?room=a&{query}", new WsOptions { ExtraHeaders = headers }))
        {
            var end = await client.Ended;
            Assert.Equal((4001, text), (end.Code, end.Reason));
        }

        foreach (var path in new[] { "/sse", "/stream" })
        {
            var answer = await GetAsync(node, $"{path}?room=a&{query}", headers);
            Assert.Equal((HttpStatusCode.Unauthorized, text + "\n"), (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)));
            Assert.Equal("Bearer error=\"invalid_token\"", answer.Headers.WwwAuthenticate.ToString());
        }

        await Eventually.HoldsAsync(() => node is { Admitted: 0, Open: 0 }, "nobody holds a place");
        Assert.Equal(2, node.Metrics.Read("push.connections_refused", "token"));
    }

    /// <summary>Otherwise a client that answers nothing would keep its place for ever.</summary>
    [Fact]
    public async Task A_client_with_a_bad_token_that_does_not_echo_the_close_is_cut()
    {
        await using var node = await StartAsync("Optional", ("Push:Connections:CloseTimeout", "00:00:00.2"));
        await using var client = await WsClient.ConnectAsync(node.Port, $"/ws?room=a&token={Old}", new WsOptions { EchoesClose = false });
        await client.Ended;
        await Eventually.HoldsAsync(() => node is { Admitted: 0, Open: 0 }, "nobody holds a place");
        Assert.Equal(1, node.Metrics.Read("push.connections_closed", "token_expired"));
    }

    [Fact]
    public async Task Without_a_token_public_rooms_are_open_if_it_is_optional()
    {
        await using var node = await StartAsync("Optional", ("Push:Auth:PublicRooms", "news, public-*"));
        await using var client = await WsClient.ConnectAsync(node.Port, "/ws?room=news&room=a");
        Assert.Equal("news", (await client.NextAsync("JOINED")).Room);
        Assert.Equal("forbidden", (await client.NextAsync("ERROR")).Code);
        await using var stream = await StreamClient.ConnectAsync(node.Port, "/stream?room=public-1");
        await stream.NextAsync("JOINED");
        await client.SendAsync($$$"""{"type":"AUTH","id":1,"data":{"token":"{{{Alice}}}"}}""");
        Assert.Equal("""{"user":"alice","expires":4000000000}""", (await client.NextAsync("AUTHED")).Data.GetRawText());
    }

    [Fact]
    public async Task Without_a_token_a_WebSocket_has_time_for_AUTH_if_it_is_required()
    {
        // The time begins to pass when the client has its token.
        var time = new ManualTime { RealTimers = true };
        await using var node = await StartAsync("Required", time, ("Push:Auth:AuthTimeout", "00:00:01"));
        await using var late = await WsClient.ConnectAsync(node.Port, "/ws");
        await using var client = await WsClient.ConnectAsync(node.Port, "/ws?room=a");
        Assert.Equal("forbidden", (await client.NextAsync("ERROR")).Code);
        await client.SendAsync($$$"""{"type":"AUTH","data":{"token":"{{{Alice}}}"}}""");
        await client.NextAsync("AUTHED");
        await client.SendAsync("""{"type":"JOIN","data":{"room":"a"}}""");
        await client.NextAsync("JOINED");
        time.Advance(TimeSpan.FromSeconds(1));
        var end = await late.Ended;
        Assert.Equal((4001, "token missing"), (end.Code, end.Reason));
        await client.SendAsync("""{"type":"PING","id":1,"data":{}}""");
        await client.NextAsync("PONG");

        foreach (var path in new[] { "/sse", "/stream" })
        {
            var answer = await GetAsync(node, $"{path}?room=a");
            Assert.Equal((HttpStatusCode.Unauthorized, "token missing\n"), (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)));
            Assert.Equal("Bearer", answer.Headers.WwwAuthenticate.ToString());
        }
    }

    [Fact]
    public async Task A_full_or_draining_node_refuses_before_it_verifies()
    {
        await using var node = await StartAsync("Required", ("Push:Connections:Max", "1"));
        await using var client = await WsClient.ConnectAsync(node.Port, $"/ws?token={Alice}");
        var (refused, answer) = await WsClient.TryConnectAsync(node.Port, $"/ws?token={Alice}");
        Assert.Equal((null, 503), (refused, answer.Status));
        Assert.Equal(1, node.Metrics.Read("push.tokens"));
    }

    [Fact]
    public async Task Tokens_are_ignored_if_they_are_off()
    {
        await using var node = await StartAsync("Off");
        await using var client = await WsClient.ConnectAsync(node.Port, $"/ws?room=any&token=whatever", new WsOptions { ExtraHeaders = "Authorization: Bearer other\r\n" });
        await client.NextAsync("JOINED");
        Assert.Equal(0, node.Metrics.Read("push.tokens"));
    }

    private static Task<NodeHost> StartAsync(string mode, params (string, string)[] settings) => StartAsync(mode, TimeProvider.System, settings);

    private static Task<NodeHost> StartAsync(string mode, TimeProvider time, params (string, string)[] settings) => NodeHost.StartAsync(
        configure: services => services.AddSingleton(time),
        settings:
        [
            ("Push:Auth:Mode", mode), ("Push:Auth:Keys:0:Algorithm", "HS256"), ("Push:Auth:Keys:0:Secret", TestTokens.Secret), .. settings,
        ]);

    private static async Task<HttpResponseMessage> GetAsync(NodeHost node, string target, string headers = "")
    {
        using var client = new HttpClient();
        if (headers.Length > 0)
            client.DefaultRequestHeaders.Authorization = AuthenticationHeaderValue.Parse(headers["Authorization: ".Length..].Trim());
        return await client.GetAsync($"http://127.0.0.1:{node.Port}{target}", HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
    }
}
