using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using TestSupport.Browsers;
using TestSupport.Clients;
using TestSupport.Processes;

namespace JavaScriptClient.Tests;

/// <summary>The built file in a page of real browsers.</summary>
public sealed partial class BrowserTests
{
    private const string Page = """
        <!doctype html><meta charset="utf-8"><title>push</title><link rel="icon" href="data:,">
        <script type="module">
          import { RedisPush } from "/redispush.js";
          window.members = [{ encoding: "json" }, { encoding: "msgpack" }, { transport: "sse" }].map(options => {
            const client = new RedisPush(NODE, { minDelay: 50, maxDelay: 300, connectTimeout: 60_000, ...options });
            const room = client.join("默认房间"), log = [];
            room.on("message", item => log.push(item.text));
            room.on("gap", gap => log.push(gap.reason));
            return { client, room, log };
          });
          window.each = condition => members.every(condition);
        </script>
        """;

    [Fact]
    public async Task The_chat_page_of_the_docs_shows_what_is_typed()
    {
        (int Node, int Api, int Management) ports = (FreePort.Next(), FreePort.Next(), FreePort.Next());
        var port = FreePort.Next();
        var chat = DocumentedPage().Match(Repository.Read("docs/clients-js.md")).Groups[1].Value;
        Assert.Contains("localhost:7777", chat, StringComparison.Ordinal);
        Assert.Contains("localhost:7799", chat, StringComparison.Ordinal);
        chat = chat.Replace(":7777", $":{ports.Node}", StringComparison.Ordinal).Replace(":7799", $":{ports.Api}", StringComparison.Ordinal);
        await using var pages = await ServeAsync(port, chat);
        await using var farm = await StartAsync(ports, ("PushApi:AllowedOrigins", $"http://localhost:{port}"));

        await using var one = await BrowserPage.OpenAsync(BrowserKind.Chromium, $"http://localhost:{port}/");
        await using var other = await BrowserPage.OpenAsync(BrowserKind.Firefox, $"http://localhost:{port}/");
        foreach (var page in new[] { one, other })
            await page.HoldsAsync("document.querySelector('#messages').textContent === '(joined)'");
        await one.ClickAsync("#text");
        await one.TypeAsync("hello <b>");
        await one.PressAsync("Enter");
        foreach (var page in new[] { one, other })
        {
            await page.HoldsAsync("document.querySelectorAll('#messages li').length === 2");
            Assert.Equal("hello <b>", await page.EvaluateAsync<string>("document.querySelector('#messages li:last-child').textContent"));
            Assert.Equal("connected", await page.EvaluateAsync<string>("document.querySelector('#state').textContent"));
        }

        await one.HoldsAsync("document.querySelector('#text').value === ''");

        var publisher = DocumentedPublisher().Match(Repository.Read("docs/clients-js.md")).Groups[1].Value;
        publisher = publisher.Replace(":7799", $":{ports.Api}", StringComparison.Ordinal);
        var (code, output) = await ClientFolder.RunNodeAsync("22", "--input-type=module", "--eval", publisher);
        Assert.True(code == 0, output);
        await other.HoldsAsync("document.querySelector('#messages li:last-child').textContent === 'hello from the server'");

        farm.Signal(Signals.Terminate);
        await farm.ExitAsync();
        await one.HoldsAsync("/^connecting, retrying within [0-9]+ s$/.test(document.querySelector('#state').textContent)");
        await one.TypeAsync("lost");
        await one.PressAsync("Enter");
        await one.HoldsAsync("document.querySelector('#messages li:last-child').textContent === '(perhaps not sent: no answer)'");
        Assert.Equal("lost", await one.EvaluateAsync<string>("document.querySelector('#text').value"));
    }

    [Theory]
    [InlineData(BrowserKind.Chromium)]
    [InlineData(BrowserKind.Firefox)]
    public async Task A_page_gets_messages_over_every_transport_and_survives_its_node(BrowserKind kind)
    {
        (int Node, int Api, int Management) ports = (FreePort.Next(), FreePort.Next(), FreePort.Next());
        await using var pages = await ServeAsync(FreePort.Next(), Page.Replace("NODE", $"\"ws://127.0.0.1:{ports.Node}/ws\"", StringComparison.Ordinal));
        ProgramProcess? farm = null;
        try
        {
            farm = await StartAsync(ports);
            await using var page = await BrowserPage.OpenAsync(kind, pages.Urls.Single());
            await page.HoldsAsync("each(({ room }) => room.state === 'joined')");
            Assert.Equal("websocket websocket sse", await page.EvaluateAsync<string>("members.map(({ client }) => client.transport).join(' ')"));
            await Http.PublishAsync(farm, "默认房间", """{"text":"你好 🎉"}""");
            await page.HoldsAsync("each(({ log }) => log.length === 1)");
            Assert.Empty(await page.ErrorsAsync());

            await farm.DisposeAsync();
            await page.HoldsAsync("each(({ client }) => client.state === 'connecting')");
            farm = await StartAsync(ports);
            await page.HoldsAsync("each(({ room }) => room.state === 'joined')");
            await Http.PublishAsync(farm, "默认房间", """{"text":"again"}""");
            await page.HoldsAsync("each(({ log }) => log.length === 3)");
            Assert.Equal(
                Enumerable.Repeat("你好 🎉,reconnected,again", 3),
                await page.EvaluateAsync<string[]>("members.map(({ log }) => log.join())"));

            await page.EvaluateAsync<string>("members.forEach(({ client }) => client.disconnect()) || ''");
            await Metrics.UntilAsync(farm, metrics => metrics["push_connections"] == 0, "no client is left");
        }
        finally
        {
            if (farm is not null)
                await farm.DisposeAsync();
        }
    }

    private static async Task<ProgramProcess> StartAsync((int Node, int Api, int Management) ports, params (string Key, string Value)[] settings)
    {
        var farm = ProgramProcess.Start(
            "PushFarm",
            [("Farm:NodeUrl", $"http://127.0.0.1:{ports.Node}"), ("Farm:ApiUrl", $"http://127.0.0.1:{ports.Api}"), ("Management:Port", $"{ports.Management}"), .. settings],
            [],
            ports.Node,
            ports.Api,
            ports.Management);
        await farm.BecomesReadyAsync();
        return farm;
    }

    private static async Task<WebApplication> ServeAsync(int port, string page)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add($"http://127.0.0.1:{port}");
        app.MapGet("/", () => Results.Content(page, "text/html; charset=utf-8"));
        app.MapGet("/redispush.js", () => Results.File(Repository.PathTo("clients/js/dist/redispush.js"), "text/javascript"));
        await app.StartAsync(TestContext.Current.CancellationToken);
        return app;
    }

    [GeneratedRegex("(?s)```js\n([^`]*?export async function publish.*?)\n```")]
    private static partial Regex DocumentedPublisher();

    [GeneratedRegex("(?s)```html\n(.*?)```")]
    private static partial Regex DocumentedPage();
}
