using System.Text.RegularExpressions;
using Deployment.Tests.Harness;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using TestSupport.Clients;
using TestSupport.Processes;

namespace Deployment.Tests;

/// <summary>The EventSource client of docs/protocol.md, in a real browser behind nginx, while nodes come and go.</summary>
public sealed partial class EventSourceTests
{
    // Tells the test everything, in order. The image never comes, because Chromium ends once all images are loaded.
    private const string Page = """
        <!doctype html><meta charset="utf-8"><title>push</title><img src="/hold">
        <script>
          CLIENT
          let telling = Promise.resolve();
          const tell = what => { telling = telling.then(() => fetch('/tell?what=' + encodeURIComponent(what))); };
          window.EventSource = class extends EventSource {
            constructor(url) {
              super(url);
              this.addEventListener('joined', () => tell('joined'));
              this.addEventListener('close', event => tell('close ' + JSON.parse(event.data).code));
            }
          };
          listen('ADDRESS', ['demo'], { onMessage: (item, room) => tell(room + ' ' + item), onGap: gap => tell(gap.reason) });
        </script>
        """;

    private readonly Lock _lock = new();
    private readonly List<string> _told = [];
    private int _published;

    [Fact]
    public async Task A_page_loses_nothing_while_connected_and_comes_back_by_itself()
    {
        await using var farm = await NginxFarm.StartAsync();
        var port = FreePort.Next();
        await using var server = await ServeAsync(port, $"http://127.0.0.1:{farm.Nginx.Ports.Clients}/sse");
        await using var browser = Browser.Open($"http://127.0.0.1:{port}/");
        await ToldAsync(["joined"], farm);
        await ToldAsync(await PublishAsync(farm), farm);

        var node = await NodeAsync(farm);
        await farm.CommandAsync("drain", node);
        await ToldAsync(["close 1001", "joined", "reconnected"], farm);
        await ToldAsync(await PublishAsync(farm), farm);
        await farm.CommandAsync("undrain", node);

        node = await NodeAsync(farm);
        farm.Nodes[node].Signal(Signals.Kill);
        await ToldAsync(["joined", "reconnected"], farm);
        await ToldAsync(await PublishAsync(farm), farm);

        // With no node, nginx answers 502, after which an EventSource does not reconnect by itself.
        foreach (var each in farm.Nodes.Values.Where(each => !each.HasExited))
        {
            each.Signal(Signals.Kill);
            await each.ExitAsync();
        }

        await farm.StartNodeAsync(node);
        await ToldAsync(["joined", "reconnected"], farm);
        await ToldAsync(await PublishAsync(farm), farm);
    }

    private static async Task<string> NodeAsync(NginxFarm farm)
    {
        var hosts = (await farm.ConnectionsAsync()).Where(node => node.Value == 1).ToList();
        return Assert.Single(hosts).Key;
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
    private async Task ToldAsync(string[] expected, NginxFarm farm)
    {
        await Eventually.HoldsAsync(() => Told().Length >= expected.Length, $"the page tells {string.Join(", ", expected)}", () => $"It told {string.Join(", ", Told())}. {farm.Nginx.Output}");
        lock (_lock)
        {
            Assert.Equal(expected, _told.Take(expected.Length));
            _told.RemoveRange(0, expected.Length);
        }
    }

    private string[] Told()
    {
        lock (_lock)
            return [.. _told];
    }

    private async Task<WebApplication> ServeAsync(int port, string address)
    {
        var protocol = await File.ReadAllTextAsync(Repository.PathTo("docs/protocol.md"), TestContext.Current.CancellationToken);
        var page = Page.Replace("CLIENT", Script().Match(protocol).Groups[1].Value, StringComparison.Ordinal).Replace("ADDRESS", address, StringComparison.Ordinal);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add($"http://127.0.0.1:{port}");
        app.MapGet("/", () => Results.Content(page, "text/html; charset=utf-8"));
        app.MapGet("/hold", (CancellationToken gone) => Task.Delay(Timeout.Infinite, gone));
        app.MapGet("/tell", (string what) =>
        {
            lock (_lock)
                _told.Add(what);
            return Results.NoContent();
        });
        await app.StartAsync(TestContext.Current.CancellationToken);
        return app;
    }

    [GeneratedRegex("(?s)```js\n(function listen.*?)```")]
    private static partial Regex Script();
}
