using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Deployment.Tests.Harness;
using TestSupport.Clients;

namespace Deployment.Tests;

/// <summary>Refusals are logged at a bounded rate.</summary>
public sealed class LogTests
{
    private const int Requests = 1500;

    // The limit in nginx.conf.
    private const int LinesAtOnce = 200;
    private const int LinesPerSecond = 20;

    private const string Inside = "127.0.0.1";
    private const string Unknown = "GET /none HTTP/1.1\r\nHost: localhost\r\n\r\n";

    [Fact]
    public Task Unknown_paths_are_logged_at_a_bounded_rate() => IsBoundedAsync(404, Unknown, ports => ports.Clients);

    [Fact]
    public Task Clients_without_a_node_are_logged_at_a_bounded_rate() => IsBoundedAsync(502, RawHttp.Upgrade("/ws"), ports => ports.Clients);

    [Fact]
    public Task Publishers_without_an_API_are_logged_at_a_bounded_rate() => IsBoundedAsync(502, RawHttp.Publish("/v1/broadcast"), ports => ports.Publishers);

    [Fact]
    public Task Publishers_from_outside_are_logged_at_a_bounded_rate() =>
        IsBoundedAsync(403, RawHttp.Publish("/v1/broadcast"), ports => ports.Publishers, edit: directory =>
        {
            var file = Path.Combine(directory, "publishers.conf");
            File.WriteAllText(file, File.ReadAllText(file).Replace("allow 127.0.0.0/8;", "", StringComparison.Ordinal));
        });

    [Fact]
    public async Task Clients_over_the_limit_are_logged_at_a_bounded_rate()
    {
        using var node = new TcpListener(IPAddress.Loopback, 0);
        node.Start();
        // The first client stays, however long the others take.
        await using var nginx = await StartAsync(
            directory => Nginx.Replace(directory, "clients.conf", "proxy_read_timeout 90s;", "proxy_read_timeout 1h;"),
            [("PUSH_NODES", $"{node.LocalEndpoint}"), ("PUSH_CONNECTIONS_PER_ADDRESS", "1")]);
        var connecting = RawClient.RequestAsync(Inside, nginx.Ports.Clients, RawHttp.Upgrade("/ws"));
        using var accepted = await node.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        await accepted.GetStream().WriteAsync("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
        using var client = await connecting;
        Assert.Equal(101, client.Answer.Status);
        await IsBoundedAsync(nginx, 429, RawHttp.Upgrade("/ws"), nginx.Ports.Clients);
    }

    private static async Task IsBoundedAsync(int status, string request, Func<NginxPorts, int> port, Action<string>? edit = null)
    {
        await using var nginx = await StartAsync(edit);
        await IsBoundedAsync(nginx, status, request, port(nginx.Ports));
    }

    /// <summary>With neither nodes nor API unless the settings name some.</summary>
    private static Task<Nginx> StartAsync(Action<string>? edit = null, (string Name, string Value)[]? settings = null) =>
        Nginx.StartAsync([("PUSH_RESOLVER", "127.0.0.1:9"), ("PUSH_NODES", "127.0.0.1:9"), ("PUSH_API", "127.0.0.1:9"), .. settings ?? []], edit);

    private static async Task IsBoundedAsync(Nginx nginx, int status, string request, int port)
    {
        var (linesBefore, since) = (Lines(nginx).Length, Stopwatch.GetTimestamp());
        for (var i = 0; i < Requests; i++)
        {
            using var client = await RawClient.RequestAsync(Inside, port, request);
            Assert.Equal(status, client.Answer.Status);
        }

        var most = LinesAtOnce + 1 + (int)(LinesPerSecond * Math.Ceiling(Stopwatch.GetElapsedTime(since).TotalSeconds));
        // nginx flushes its log buffer within a second, and when it ends; but it kills a worker that is late to end.
        await Eventually.HoldsAsync(
            () => Refusals(nginx, status, linesBefore) >= LinesAtOnce, $"{LinesAtOnce} refusals are logged", () => nginx.Output);
        await nginx.DisposeAsync();
        var written = Lines(nginx)[linesBefore..];
        var refusals = Refusals(nginx, status, linesBefore);
        TestContext.Current.SendDiagnosticMessage("{0} refusals with {1}: {2} lines of them and {3} others", Requests, status, refusals, written.Length - refusals);
        Assert.InRange(refusals, LinesAtOnce, most);
        // Nor is there one line of another kind for each.
        Assert.InRange(written.Length, refusals, most);
    }

    private static int Refusals(Nginx nginx, int status, int linesBefore) =>
        Lines(nginx)[linesBefore..].Count(line => line.Contains($"\" {status} node", StringComparison.Ordinal));

    private static string[] Lines(Nginx nginx) => nginx.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
