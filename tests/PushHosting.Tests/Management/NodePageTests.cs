using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using PushHosting.Management;
using PushHosting.Status;
using PushHosting.Tests.Support;

namespace PushHosting.Tests.Management;

/// <summary>Who may ask for the node's page and its JSON, and what a program without plots of its own answers.</summary>
public sealed class NodePageTests
{
    private static readonly string[] Machines = ["/healthz", "/readyz", "/metrics"];
    private static readonly string[] Browsers = ["/", "/page.js", "/page.css", "/status", "/status/settings"];

    [Theory]
    [InlineData("127.0.0.1:9464", true)]
    [InlineData("[::1]:9464", true)]
    [InlineData("10.1.2.3", true)]
    [InlineData("localhost:9464", true)]
    [InlineData("node.localhost", true)]
    [InlineData("node-1:9464", true)]
    [InlineData("push-1.example.com:9464", true)]
    [InlineData("evil.example", false)]
    [InlineData("evil.example:9464", false)]
    [InlineData("127.0.0.1.evil.example", false)]
    [InlineData("localhost.evil.example", false)]
    [InlineData("localhost.", false)]
    public async Task A_host_that_dns_rebinding_could_use_gets_neither_page_nor_json(string name, bool isAccepted)
    {
        await using var host = await StartAsync("push-1.example.com");
        foreach (var path in Browsers)
        {
            using var answer = await TestHost.SendAsync(HttpMethod.Get, new Uri(host.Management, path), name);
            Assert.Equal(isAccepted ? HttpStatusCode.OK : HttpStatusCode.Forbidden, answer.StatusCode);
            if (!isAccepted)
                Assert.Contains("Management:AllowedHosts", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }

        foreach (var path in Machines)
        {
            using var answer = await TestHost.SendAsync(HttpMethod.Get, new Uri(host.Management, path), name);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
    }

    [Theory]
    [InlineData("none", true)]
    [InlineData("same-origin", true)]
    [InlineData("same-site", false)]
    [InlineData("cross-site", false)]
    [InlineData("cross-site, none", false)]
    public async Task Only_the_page_itself_gets_its_json(string site, bool isAccepted)
    {
        await using var host = await StartAsync();
        foreach (var path in Browsers.Concat(Machines))
        {
            using HttpRequestMessage request = new(HttpMethod.Get, new Uri(host.Management, path));
            request.Headers.Add("Sec-Fetch-Site", site);
            using var answer = await TestHost.SendAsync(request);
            // A link from elsewhere may open the page, and scrapers are not browsers.
            Assert.Equal(isAccepted || !path.StartsWith("/status", StringComparison.Ordinal) ? HttpStatusCode.OK : HttpStatusCode.Forbidden, answer.StatusCode);
        }
    }

    [Fact]
    public async Task Nothing_frames_the_page_and_nobody_keeps_its_json()
    {
        await using var host = await StartAsync();
        using var page = await TestHost.SendAsync(HttpMethod.Get, host.Management);
        var policy = Assert.Single(page.Headers.GetValues("Content-Security-Policy"));
        Assert.StartsWith("default-src 'none'; script-src 'self';", policy, StringComparison.Ordinal);
        Assert.EndsWith("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);

        using var status = await TestHost.SendAsync(HttpMethod.Get, new Uri(host.Management, "/status"));
        Assert.Equal("no-store", status.Headers.CacheControl!.ToString());
        Assert.Equal("default-src 'none'; frame-ancestors 'none'", Assert.Single(status.Headers.GetValues("Content-Security-Policy")));
        Assert.Equal("nosniff", Assert.Single(status.Headers.GetValues("X-Content-Type-Options")));
        Assert.Equal("same-origin", Assert.Single(status.Headers.GetValues("Cross-Origin-Resource-Policy")));
        Assert.True(status.Headers.ConnectionClose);
    }

    [Fact]
    public async Task A_program_shows_its_process_and_only_the_parts_that_it_has()
    {
        await using var host = await StartAsync();
        var status = await StatusAsync(host, "");
        Assert.Equal(Environment.ProcessId, status.GetProperty("pid").GetInt32());
        Assert.True(status.GetProperty("ready").GetBoolean());
        Assert.Equal(["Ready", "CPU", "Memory", "Garbage collection"], status.GetProperty("plots").EnumerateArray().Select(plot => plot.GetProperty("title").GetString()));
        Assert.Empty(status.GetProperty("parts").EnumerateArray());
    }

    [Fact]
    public async Task Another_run_of_the_process_is_told_from_this_one()
    {
        await using var host = await StartAsync();
        var sampler = host.App.Services.GetRequiredService<StatusSampler>();
        await sampler.SampleAsync();
        await sampler.SampleAsync();
        var run = (await StatusAsync(host, "")).GetProperty("run").GetString();
        Assert.True(Times(await StatusAsync(host, "")) >= 2);
        Assert.True(Times(await StatusAsync(host, "?run=other&after=2")) >= 2);
        Assert.Equal(0, Times(await StatusAsync(host, $"?run={run}&after=999999")));
        Assert.True(Times(await StatusAsync(host, $"?run={run}&after=banana")) >= 2);

        static int Times(JsonElement status) => status.GetProperty("times").GetArrayLength();
    }

    [Fact]
    public async Task Health_comes_with_its_reasons_and_warnings()
    {
        await using var host = await StartAsync(configure: builder => builder.Services.AddSingleton<IReadiness>(new Broken()));
        var status = await StatusAsync(host, "");
        Assert.False(status.GetProperty("ready").GetBoolean());
        Assert.Equal(["Redis at <b>x</b> does not answer."], status.GetProperty("reasons").EnumerateArray().Select(reason => reason.GetString()));
        Assert.Equal(["One of three is unavailable."], status.GetProperty("warnings").EnumerateArray().Select(warning => warning.GetString()));
    }

    private static Task<TestHost> StartAsync(string? allowedHosts = null, Action<WebApplicationBuilder>? configure = null) =>
        TestHost.StartAsync(configure, settings: allowedHosts is null ? [] : [$"--Management:AllowedHosts={allowedHosts}"]);

    private static async Task<JsonElement> StatusAsync(TestHost host, string query) => JsonDocument.Parse(await host.GetAsync($"/status{query}")).RootElement;

    private sealed class Broken : IReadiness
    {
        public string NotReadyBecause => "Redis at <b>x</b> does not answer.";

        public string Detail => "One of three is unavailable.";
    }
}
