using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using PushHosting.Management;
using PushHosting.Startup;
using PushHosting.Tests.Support;

namespace PushHosting.Tests.Management;

public sealed class ManagementServerTests
{
    [Theory]
    [InlineData("GET", "/healthz", 200, "ok", "text/plain; charset=utf-8")]
    [InlineData("GET", "/readyz", 200, "ready", "text/plain; charset=utf-8")]
    [InlineData("HEAD", "/healthz", 200, "", "text/plain; charset=utf-8")]
    [InlineData("HEAD", "/metrics", 200, "", "text/plain; version=0.0.4; charset=utf-8")]
    [InlineData("POST", "/healthz", 405, "Only GET and HEAD are accepted here.", "text/plain; charset=utf-8")]
    [InlineData("DELETE", "/metrics", 405, "Only GET and HEAD are accepted here.", "text/plain; charset=utf-8")]
    [InlineData("HEAD", "/", 200, "", "text/html; charset=utf-8")]
    [InlineData("HEAD", "/page.js", 200, "", "text/javascript; charset=utf-8")]
    [InlineData("HEAD", "/status", 200, "", "application/json; charset=utf-8")]
    [InlineData("POST", "/status", 405, "Only GET and HEAD are accepted here.", "text/plain; charset=utf-8")]
    [InlineData("GET", "/index.html", 404, "The pages here are /, /status, /healthz, /readyz and /metrics.", "text/plain; charset=utf-8")]
    [InlineData("GET", "/status/rooms", 404, "The pages here are /, /status, /healthz, /readyz and /metrics.", "text/plain; charset=utf-8")]
    [InlineData("GET", "/metrics/x", 404, "The pages here are /, /status, /healthz, /readyz and /metrics.", "text/plain; charset=utf-8")]
    [InlineData("GET", "/healthz?verbose=1", 200, "ok", "text/plain; charset=utf-8")]
    public async Task A_page_answers(string method, string path, int status, string body, string contentType)
    {
        await using var host = await TestHost.StartAsync();
        using var response = await TestHost.SendAsync(new HttpMethod(method), new Uri(host.Management, path));

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(body, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal(contentType, response.Content.Headers.ContentType!.ToString());
        if (status == 405)
            Assert.Equal(["GET", "HEAD"], response.Content.Headers.Allow);
    }

    [Fact]
    public async Task The_public_port_has_no_metrics_whatever_the_host_header_says()
    {
        await using var host = await TestHost.StartAsync(map: app => app.MapGet("/", () => "public"));
        Assert.NotEqual(host.Public.Port, host.Management.Port);

        foreach (var name in new[] { null, host.Management.Authority, "localhost:9464" })
        {
            foreach (var page in new[] { "/metrics", "/healthz", "/readyz", "/status", "/page.js" })
            {
                using var response = await TestHost.SendAsync(HttpMethod.Get, new Uri(host.Public, page), name);
                Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
            }
        }
        using var reached = await TestHost.SendAsync(HttpMethod.Get, host.Public);
        Assert.Equal("public", await reached.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        using var notReached = await TestHost.SendAsync(HttpMethod.Get, host.Management, host.Public.Authority);
        Assert.NotEqual("public", await notReached.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Not_ready_names_every_failing_condition()
    {
        Condition first = new(), second = new(), third = new();
        await using var host = await TestHost.StartAsync(builder => builder.Services
            .AddSingleton<IReadiness>(first).AddSingleton<IReadiness>(second).AddSingleton<IReadiness>(third));
        Assert.Equal("ready", await host.GetAsync("/readyz"));
        Assert.Contains("\n# TYPE push_ready gauge\npush_ready 1\n", await host.MetricsAsync(), StringComparison.Ordinal);

        first.NotReadyBecause = "The backplane is unavailable.";
        third.NotReadyBecause = "Draining.";
        using (var response = await TestHost.SendAsync(HttpMethod.Get, new Uri(host.Management, "/readyz")))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
            Assert.Equal("The backplane is unavailable.\nDraining.", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }
        Assert.Equal("ok", await host.GetAsync("/healthz"));
        Assert.Contains("\npush_ready 0\n", await host.MetricsAsync(), StringComparison.Ordinal);

        first.NotReadyBecause = third.NotReadyBecause = null;
        Assert.Equal("ready", await host.GetAsync("/readyz"));
        Assert.Contains("\npush_ready 1\n", await host.MetricsAsync(), StringComparison.Ordinal);

        second.Detail = "One of three is unavailable.";
        Assert.Equal("ready\nOne of three is unavailable.", await host.GetAsync("/readyz"));
    }

    [Fact]
    public async Task It_opens_before_the_application_and_closes_after_it()
    {
        Phases phases = new();
        await using var host = await TestHost.StartAsync(builder => builder.Services.AddSingleton<IHostedService>(services =>
        {
            phases.Ask = async () =>
            {
                Uri management = new(services.GetRequiredService<ManagementEndpoint>().Url);
                using var health = await TestHost.SendAsync(HttpMethod.Get, new Uri(management, "/healthz"));
                using var metrics = await TestHost.SendAsync(HttpMethod.Get, new Uri(management, "/metrics"));
                using var readiness = await TestHost.SendAsync(HttpMethod.Get, new Uri(management, "/readyz"));
                // The application's own listener is not open yet, or no longer.
                var page = await metrics.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
                return health.IsSuccessStatusCode && page.Contains("\npush_ready 0\n", StringComparison.Ordinal)
                    && readiness.StatusCode == HttpStatusCode.ServiceUnavailable;
            };
            return phases;
        }));
        var management = host.Management;
        // As SIGTERM does.
        host.App.Lifetime.StopApplication();
        await host.App.StopAsync(TestContext.Current.CancellationToken);

        Assert.Equal(["start", "stopping", "stop", "stopped"], phases.Answered);
        await Assert.ThrowsAsync<HttpRequestException>(() => TestHost.SendAsync(HttpMethod.Get, management));
    }

    [Fact]
    public async Task A_scraper_that_sends_half_a_request_does_not_delay_the_stop()
    {
        await using var host = await TestHost.StartAsync();
        using TcpClient half = new();
        await half.ConnectAsync(IPAddress.Loopback, host.Management.Port, TestContext.Current.CancellationToken);
        await half.GetStream().WriteAsync("GET /metrics HTTP/1.1\r\nHost"u8.ToArray(), TestContext.Current.CancellationToken);

        // The host's own time-out of 30 s would end it too, with an exception.
        using CancellationTokenSource deadline = new(TimeSpan.FromSeconds(25));
        await host.App.StopAsync(deadline.Token);
        Assert.False(deadline.IsCancellationRequested);
    }

    [Theory]
    [InlineData("")]
    [InlineData("GET /readyz HTTP/1.1\r\nHost: x\r\n")]
    public async Task It_answers_behind_idle_connections(string sent)
    {
        await using var host = await TestHost.StartAsync();
        List<TcpClient> idle = [];
        for (var i = 0; i < 3 * ManagementConnections.Limit; i++)
            idle.Add(await ConnectAsync(host, sent));
        Assert.Equal("ok", await host.GetAsync("/healthz"));

        // The oldest was closed without an answer.
        Assert.Equal("", await ReadToEndAsync(idle[0]));
        idle.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task It_answers_while_other_connections_send_request_after_request()
    {
        const string Request = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
        await using var host = await TestHost.StartAsync();
        List<TcpClient> busy = [];
        for (var i = 0; i < ManagementConnections.Limit; i++)
            busy.Add(await ConnectAsync(host, Request));
        // Each has its answer and sends another request.
        foreach (var client in busy)
            Assert.True(await client.GetStream().ReadAsync(new byte[1], TestContext.Current.CancellationToken) > 0);
        foreach (var client in busy)
            await TrySendAsync(client, Request);
        Assert.Equal("ok", await host.GetAsync("/healthz"));
        busy.ForEach(client => client.Dispose());
    }

    [Theory]
    [InlineData("/healthz")]
    [InlineData("/metrics")]
    [InlineData("/nothing")]
    public async Task A_connection_is_closed_after_its_answer(string path)
    {
        await using var host = await TestHost.StartAsync();
        using var client = await ConnectAsync(host, $"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        var answer = await ReadToEndAsync(client);
        Assert.Contains("\r\nConnection: close\r\n", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_answers_after_hostile_bytes()
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        Random random = new(seed);
        await using var host = await TestHost.StartAsync();

        var noise = new byte[4096];
        random.NextBytes(noise);
        byte[][] attacks =
        [
            noise,
            [.. "GET /metrics HTTP/1.1\r\nHost: "u8, .. noise],
            Encoding.ASCII.GetBytes("GET /" + new string('a', 100_000) + " HTTP/1.1\r\n\r\n"),
            Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: x\r\nX: " + new string('b', 100_000)),
            Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: x\r\n" + string.Concat(Enumerable.Range(0, 100).Select(i => $"H{i}: 1\r\n")) + "\r\n"),
            "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\nbody"u8.ToArray(),
            "POST /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\nbody"u8.ToArray(),
            "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray(),
            "GET /%2e%2e/%00metrics HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray(),
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray(),
            [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xFC, 0x03, 0x03],
        ];

        foreach (var attack in attacks)
        {
            using TcpClient client = new();
            await client.ConnectAsync(IPAddress.Loopback, host.Management.Port, TestContext.Current.CancellationToken);
            try
            {
                await client.GetStream().WriteAsync(attack, TestContext.Current.CancellationToken);
            }
            catch (IOException)
            {
                // Expected: the server may close before it has read everything.
            }
            Assert.Equal("ok", await host.GetAsync("/healthz"));
        }
        Assert.Contains("# TYPE", await host.MetricsAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Adding_it_twice_adds_it_once()
    {
        await using var host = await TestHost.StartAsync(builder => builder.Services.AddManagement(builder.Configuration, 0));
        Assert.Single(host.App.Services.GetServices<IHostedService>(), s => s is ManagementServer);
    }

    [Fact]
    public async Task Its_address_is_unavailable_before_it_is_open()
    {
        var builder = PushProgram.CreateBuilder([]);
        builder.Services.AddManagement(builder.Configuration, 0);
        await using var app = builder.Build();
        Assert.Throws<InvalidOperationException>(() => app.Services.GetRequiredService<ManagementEndpoint>().Url);
    }

    private static async Task<TcpClient> ConnectAsync(TestHost host, string sent)
    {
        TcpClient client = new();
        await client.ConnectAsync(IPAddress.Loopback, host.Management.Port, TestContext.Current.CancellationToken);
        await TrySendAsync(client, sent);
        return client;
    }

    private static async Task TrySendAsync(TcpClient client, string text)
    {
        try
        {
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(text), TestContext.Current.CancellationToken);
        }
        catch (IOException)
        {
            // Expected: closed already.
        }
    }

    private static async Task<string> ReadToEndAsync(TcpClient client)
    {
        StringBuilder text = new();
        var buffer = new byte[4096];
        try
        {
            while (await client.GetStream().ReadAsync(buffer, TestContext.Current.CancellationToken).AsTask().WaitAsync(Eventually.Patience) is > 0 and var count)
                text.Append(Encoding.ASCII.GetString(buffer, 0, count));
        }
        catch (IOException)
        {
            // Expected: a reset is an end as well.
        }
        return text.ToString();
    }

    private sealed class Condition : IReadiness
    {
        private volatile string? _reason;
        private volatile string? _detail;

        public string? Detail
        {
            get => _detail;
            set => _detail = value;
        }

        public string? NotReadyBecause
        {
            get => _reason;
            set => _reason = value;
        }
    }

    private sealed class Phases : IHostedLifecycleService
    {
        public Func<Task<bool>> Ask { get; set; } = () => Task.FromResult(false);

        public List<string> Answered { get; } = [];

        public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StartAsync(CancellationToken cancellationToken) => AskInAsync("start");

        public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppingAsync(CancellationToken cancellationToken) => AskInAsync("stopping");

        public Task StopAsync(CancellationToken cancellationToken) => AskInAsync("stop");

        public Task StoppedAsync(CancellationToken cancellationToken) => AskInAsync("stopped");

        private async Task AskInAsync(string phase)
        {
            if (await Ask())
                Answered.Add(phase);
        }
    }
}
