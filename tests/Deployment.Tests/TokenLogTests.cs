using Deployment.Tests.Harness;
using TestSupport.Clients;

namespace Deployment.Tests;

/// <summary>A client's token, which is part of its URL, never reaches nginx's logs.</summary>
public sealed class TokenLogTests
{
    private const string Token = "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjQwMDAwMDAwMDB9.c2VjcmV0LXNpZ25hdHVyZQ";

    /// <summary>Without a node nginx has the most to say: it cannot connect, and it answers by itself.</summary>
    [Fact]
    public async Task Refused_clients_are_logged_without_their_query()
    {
        await using var nginx = await Nginx.StartAsync([("PUSH_RESOLVER", "127.0.0.1:9"), ("PUSH_NODES", "127.0.0.1:9"), ("PUSH_API", "127.0.0.1:9")]);
        foreach (var path in new[] { "/ws", "/connect", "/sse", "/stream", "/none" })
        {
            foreach (var request in new[] { RawHttp.Upgrade($"{path}?room=r&token={Token}"), RawHttp.Upgrade(path, extraHeaders: $"Authorization: Bearer {Token}\r\nReferer: http://localhost{path}?token={Token}\r\n") })
            {
                using var client = await RawClient.RequestAsync("127.0.0.1", nginx.Ports.Clients, request);
                Assert.InRange(client.Answer.Status, 400, 599);
            }
        }

        // Malformed, too long, and cut.
        foreach (var request in new[] { $"GET /ws?token={Token} HTTP/9.9\r\n\r\n", $"GET /ws?token={Token}{new string('x', 40_000)} HTTP/1.1\r\n\r\n", $"GET /ws?token={Token} HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" })
        {
            using var client = await RawClient.ConnectAsync(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, nginx.Ports.Clients));
            await client.SendAsync(request);
            await client.ReadToEndAsync();
        }

        // nginx flushes its log buffer within a second, and when it ends; but it kills a worker that is late to end.
        await Eventually.HoldsAsync(
            () => nginx.Output.Contains("\"GET /ws\" 502", StringComparison.Ordinal), "nginx logs a refusal", () => nginx.Output);
        await nginx.DisposeAsync();
        Assert.Contains("\"GET /ws\" 502", nginx.Output, StringComparison.Ordinal);
        Assert.All(Token.Split('.'), part => Assert.DoesNotContain(part, nginx.Output, StringComparison.Ordinal));
    }

    /// <summary>Every place that a client's request reaches logs at emerg only: nginx appends the request line to a line of any other level.</summary>
    [Fact]
    public async Task The_error_log_has_no_line_about_a_clients_request()
    {
        var clients = await File.ReadAllTextAsync(Repository.PathTo("nginx/clients.conf"), TestContext.Current.CancellationToken);
        Assert.Contains("error_log stderr emerg;", clients, StringComparison.Ordinal);
        Assert.DoesNotContain("$request ", await File.ReadAllTextAsync(Repository.PathTo("nginx/nginx.conf"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }
}
