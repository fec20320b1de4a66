using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using PushApi.Requests;
using PushApi.Tests.Hosting;
using PushApi.Tests.Telemetry;

namespace PushApi.Tests.Endpoints;

public class BodySizeTests
{
    private const string Route = "/v1/broadcast";
    private const int Limit = 100_000;

    [Fact]
    public async Task A_body_of_exactly_the_limit_passes_and_one_byte_more_is_413()
    {
        await using var api = await ApiHost.StartAsync(("MaxBodyBytes", Limit), ("MaxMessageBytes", Limit));
        var body = Text(Limit);
        (await Post(api, body, chunked: false)).IsAccepted(1);
        Assert.Equal(body, Assert.Single(Assert.Single(api.Backplane.Published).Items));

        (await Post(api, [.. body, (byte)' '], chunked: false)).IsProblem(413, "body-too-large", limit: Limit);
        Assert.Single(api.Backplane.Published);
        await NothingIsHeld(api);
    }

    [Fact]
    public async Task A_chunked_body_has_the_same_limit_without_its_framing()
    {
        await using var api = await ApiHost.StartAsync(("MaxBodyBytes", Limit), ("MaxMessageBytes", Limit));
        var body = Text(Limit);
        (await Post(api, body, chunked: true)).IsAccepted(1);
        Assert.Equal(body, Assert.Single(Assert.Single(api.Backplane.Published).Items));

        (await Post(api, Text(Limit + 1), chunked: true)).IsProblem(413, "body-too-large", limit: Limit);
        Assert.Single(api.Backplane.Published);
        await NothingIsHeld(api);
    }

    [Fact]
    public async Task A_mebibyte_is_the_default_on_every_route()
    {
        await using var api = await ApiHost.StartAsync();
        string[][] routes =
        [
            ["/v1/broadcast", "application/json"], ["/v1/rooms/a/messages", "text/plain"], ["/v1/messages", "application/json"],
            ["/push/room", "application/x-www-form-urlencoded"], ["/push/all", "application/x-www-form-urlencoded"],
        ];
        // In parallel, because Kestrel waits for each body before it closes the connection.
        await Task.WhenAll(routes.Select(async route =>
        {
            var head = $"POST {route[0]} HTTP/1.1\r\nHost: h\r\nContent-Type: {route[1]}\r\nContent-Length: {(1024 * 1024) + 1}\r\n\r\n";
            var answer = await api.RawAsync(Encoding.ASCII.GetBytes(head));
            Assert.StartsWith("HTTP/1.1 413 ", answer);
            Assert.Contains("/problems/body-too-large", answer);
        }));
    }

    /// <summary>Otherwise the connection is reset while the client is still sending, and the client cannot read the answer.</summary>
    [Fact]
    public async Task The_rest_of_a_refused_body_is_discarded_and_the_connection_stays()
    {
        await using var api = await ApiHost.StartAsync(("MaxBodyBytes", Limit), ("MaxMessageBytes", Limit));
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, api.Url.Port, TestContext.Current.CancellationToken);
        var stream = client.GetStream();
        using var reader = new StreamReader(stream);
        await stream.WriteAsync(Head(4 * Limit), TestContext.Current.CancellationToken);
        Assert.StartsWith("HTTP/1.1 413 ", await StatusAsync());

        await stream.WriteAsync(Text(4 * Limit), TestContext.Current.CancellationToken);
        await stream.WriteAsync(Head(1), TestContext.Current.CancellationToken);
        await stream.WriteAsync("1"u8.ToArray(), TestContext.Current.CancellationToken);
        Assert.StartsWith("HTTP/1.1 202 ", await StatusAsync());

        static byte[] Head(int length) => Encoding.ASCII.GetBytes($"POST {Route} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n");

        async Task<string?> StatusAsync()
        {
            while (await reader.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
            {
                if (line.Contains("HTTP/1.1 ", StringComparison.Ordinal))
                    return line[line.IndexOf("HTTP/1.1 ", StringComparison.Ordinal)..];
            }

            return null;
        }
    }

    [Theory]
    [InlineData("Content-Length: 10\r\n\r\n12345")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n5\r\n12")]
    public async Task A_body_that_is_cut_off_publishes_nothing(string rest)
    {
        await using var api = await ApiHost.StartAsync();
        await api.RawAsync(Encoding.ASCII.GetBytes($"POST {Route} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n{rest}"), thenClose: true);
        await NothingIsHeld(api);
        Assert.Empty(api.Backplane.Published);
    }

    /// <summary>
    /// Includes sizes that overflow, for which Kestrel throws another exception. The connection is closed, because where the next request begins
    /// is unknown.
    /// </summary>
    [Theory]
    [InlineData("zz")]
    [InlineData("-1")]
    [InlineData("80000000")]
    [InlineData("FFFFFFFFF")]
    [InlineData("FFFFFFFFFFFFFFFF")]
    [InlineData("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF")]
    public async Task A_malformed_chunk_is_400_and_counted(string size)
    {
        await using var api = await ApiHost.StartAsync();
        var answer = await api.RawAsync(Encoding.ASCII.GetBytes(
            $"POST {Route} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{size}\r\n1\r\n0\r\n\r\n"));
        Assert.StartsWith("HTTP/1.1 400 ", answer);
        Assert.Contains("/problems/bad-body", answer);
        Assert.Equal(1, MetricsTests.Read(api)["push.api.rejected reason=bad_body"]);
        Assert.Empty(api.Backplane.Published);
        await NothingIsHeld(api);
    }

    [Fact]
    public async Task A_client_that_disconnects_does_not_affect_the_rest_of_its_group()
    {
        await using var api = await ApiHost.StartAsync(_ => { }, new ManualTime());
        api.Backplane.Holds = true;
        var first = api.PostAsync(Route, "application/json", "1");
        var held = await api.Backplane.NextAsync();

        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, api.Url.Port, TestContext.Current.CancellationToken);
        await socket.SendAsync(Encoding.ASCII.GetBytes($"POST {Route} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n2"), TestContext.Current.CancellationToken);
        // A request's channel is asked for once its body is read.
        await Eventually.HoldsAsync(() => api.Backplane.Placements == 2, "The second request was not read.");
        socket.Close(0);
        var third = api.PostAsync(Route, "application/json", "3");
        await Eventually.HoldsAsync(() => api.Backplane.Placements == 3, "The third request was not read.");

        api.Backplane.Holds = false;
        held.Confirm();
        (await first).IsAccepted(1);
        (await third).IsAccepted(1);
        // A request that is read may not be queued yet, so requests of two clients have no order.
        await Eventually.HoldsAsync(() => api.Backplane.Texts("push:all").Length == 3, "The second request was not published.");
        Assert.Equal(["1", "2", "3"], api.Backplane.Texts("push:all").Order());
        await NothingIsHeld(api);
    }

    [Fact]
    public async Task Requests_are_429_while_too_much_is_pending()
    {
        await using var api = await ApiHost.StartAsync(_ => { }, new ManualTime(), ("MaxBodyBytes", 4000), ("MaxMessageBytes", 4000), ("MaxPendingBytes", 6000));
        api.Backplane.Holds = true;
        var message = $"\"{new string('x', 3000)}\"";
        var first = api.PostAsync(Route, "application/json", message);
        var held = await api.Backplane.NextAsync();

        var refused = await api.PostAsync(Route, "application/json", message);
        refused.IsProblem(429, "too-much-pending");
        Assert.Equal(TimeSpan.FromSeconds(1), refused.Headers.RetryAfter!.Delta);

        held.Confirm();
        (await first).IsAccepted(1);
        await NothingIsHeld(api);
        api.Backplane.Holds = false;
        (await api.PostAsync(Route, "application/json", message)).IsAccepted(1);
    }

    [Fact]
    public async Task Messages_count_once_per_room_and_a_request_that_cannot_fit_is_413()
    {
        await using var api = await ApiHost.StartAsync(("MaxBodyBytes", 4000), ("MaxMessageBytes", 4000), ("MaxPendingBytes", 6000));
        var message = $"\"{new string('x', 1500)}\"";
        (await api.PostAsync("/v1/messages", "application/json", $$"""{"rooms":["a","b","c"],"items":[{{message}}]}""")).IsAccepted(3);
        (await api.PostAsync("/v1/messages", "application/json", $$"""{"rooms":["a","b","c","d","e"],"items":[{{message}}]}""")).IsProblem(413, "body-too-large", limit: 6000);
        await NothingIsHeld(api);
    }

    private static byte[] Text(int length) => Encoding.ASCII.GetBytes($"\"{new string('x', length - 2)}\"");

    private static Task<Answer> Post(ApiHost api, byte[] body, bool chunked)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, Route) { Content = new ByteArrayContent(body) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        request.Headers.TransferEncodingChunked = chunked;
        return api.SendAsync(request);
    }

    private static Task NothingIsHeld(ApiHost api)
    {
        var pending = api.Services.GetRequiredService<PendingBytes>();
        return Eventually.HoldsAsync(() => pending.Taken == 0, "Bytes of an answered request still count as pending.");
    }
}
