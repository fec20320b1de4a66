using System.Text.RegularExpressions;
using Deployment.Tests.Harness;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using TestSupport.Browsers;
using TestSupport.Clients;
using TestSupport.Processes;

namespace Deployment.Tests;

/// <summary>The EventSource client of docs/protocol.md, in a real browser behind nginx, while nodes come and go.</summary>
public sealed partial class EventSourceTests
{
    private const string Page = """
        <!doctype html><meta charset="utf-8"><title>push</title>
        <script>
          CLIENT
          const told = [];
          window.EventSource = class extends EventSource {
            constructor(url) {
              super(url);
              this.addEventListener('joined', () => told.push('joined'));
              this.addEventListener('close', event => told.push('close ' + JSON.parse(event.data).code));
            }
          };
          listen('ADDRESS', ['demo'], { onMessage: (item, room) => told.push(room + ' ' + item), onGap: gap => told.push(gap.reason) });
        </script>
        """;

    private int _published;

    [Fact]
    public async Task A_page_loses_nothing_while_connected_and_comes_back_by_itself()
    {
        await using var farm = await NginxFarm.StartAsync();
        var port = FreePort.Next();
        await using var server = await ServeAsync(port, $"http://127.0.0.1:{farm.Nginx.Ports.Clients}/sse");
        await using var page = await BrowserPage.OpenAsync(BrowserKind.Chromium, $"http://127.0.0.1:{port}/");
        await ToldAsync(["joined"], page);
        await ToldAsync(await PublishAsync(farm), page);

        var node = await NodeAsync(farm);
        await farm.CommandAsync("drain", node);
        await ToldAsync(["close 1001", "joined", "reconnected"], page);
        await ToldAsync(await PublishAsync(farm), page);
        await farm.CommandAsync("undrain", node);

        node = await NodeAsync(farm);
        await KillAsync(farm.Nodes[node]);
        await ToldAsync(["joined", "reconnected"], page);
        await ToldAsync(await PublishAsync(farm), page);

        // With no node, nginx answers 502, after which an EventSource does not reconnect by itself.
        // The page's node last, or the page would come back to the next one.
        var last = farm.Nodes[await NodeAsync(farm)];
        foreach (var other in farm.Nodes.Values.Where(each => each != last && !each.HasExited))
            await KillAsync(other);
        await KillAsync(last);

        await farm.StartNodeAsync(node);
        await ToldAsync(["joined", "reconnected"], page);
        await ToldAsync(await PublishAsync(farm), page);
    }

    private static async Task KillAsync(ProgramProcess node)
    {
        node.Signal(Signals.Kill);
        await node.ExitAsync();
    }

    private static async Task<string> NodeAsync(NginxFarm farm)
    {
        List<string> hosts = [];
        await Eventually.HoldsAsync(
            async () => (hosts = [.. (await farm.ConnectionsAsync()).Where(node => node.Value > 0).Select(node => node.Key)]).Count == 1, "one node has the page", () => string.Join(", ", hosts));
        return hosts[0];
    }

    /// <summary>Publishes 20 messages.</summary>
    /// <returns>What the page tells of them.</returns>
    private async Task<string[]> PublishAsync(NginxFarm farm)
    {
        var first = _published;
        for (; _published < first + 20; _published++)
            await Http.PublishAsync(farm.Api, "demo", $"{_published}");
        return [.. Enumerable.Range(first, 20).Select(n => $"demo {n}")];
    }

    /// <summary>Requires that the page tells exactly this next.</summary>
    private static async Task ToldAsync(string[] expected, BrowserPage page)
    {
        await page.HoldsAsync($"told.length >= {expected.Length}");
        Assert.Equal(expected, await page.EvaluateAsync<string[]>($"told.splice(0, {expected.Length})"));
    }

    private static async Task<WebApplication> ServeAsync(int port, string address)
    {
        var protocol = await File.ReadAllTextAsync(Repository.PathTo("docs/protocol.md"), TestContext.Current.CancellationToken);
        var page = Page.Replace("CLIENT", Script().Match(protocol).Groups[1].Value, StringComparison.Ordinal).Replace("ADDRESS", address, StringComparison.Ordinal);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add($"http://127.0.0.1:{port}");
        app.MapGet("/", () => Results.Content(page, "text/html; charset=utf-8"));
        await app.StartAsync(TestContext.Current.CancellationToken);
        return app;
    }

    [GeneratedRegex("(?s)```js\n(function listen.*?)```")]
    private static partial Regex Script();
}
