using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using PushFarm.FunctionalTests.Harness;
using TestSupport.Browsers;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>The WebSocket of real browsers, as strict as they are, in a page of ours.</summary>
[Collection(EpollFarmDefinition.Name)]
public sealed class BrowserTests(FarmFixture fixture)
{
    private const string Room = "默认房间";
    private const string Text = "你好，世界 🎉 <b>&";

    private const string Page = """
        <!doctype html><meta charset="utf-8"><title>push</title><link rel="icon" href="data:,">
        <script>
          let log = '';
          const socket = new WebSocket(NODE);
          socket.onopen = () => {
            // Firefox tells no parameters.
            log += socket.extensions.split(';')[0] + '\n';
            socket.send(JSON.stringify({ type: 'JOIN', data: { room: ROOM } }));
          };
          socket.onmessage = event => {
            const message = JSON.parse(event.data);
            log += message.type + ' ' + message.data.room + ' ' + (message.data.items || []).map(item => item.text + ' ' + (item.pad || '').length) + '\n';
            if (message.type === 'PUSH') socket.close(1000, 'enough');
          };
          socket.onclose = event => { log += 'closed ' + event.code + ' clean ' + event.wasClean + '\n'; };
        </script>
        """;

    [Theory]
    [InlineData(BrowserKind.Chromium, 0, 0)]
    [InlineData(BrowserKind.Chromium, 3000, 1)]
    [InlineData(BrowserKind.Firefox, 3000, 1)]
    public async Task A_page_joins_a_room_and_shows_what_is_published(BrowserKind kind, int pad, int deflated)
    {
        var before = await DeflatedAsync();
        var port = FreePort.Next();
        await using var server = Serve(port);
        await server.StartAsync(TestContext.Current.CancellationToken);

        await using var page = await BrowserPage.OpenAsync(kind, $"http://127.0.0.1:{port}/");
        await page.HoldsAsync("log.includes('JOINED')");
        await Http.PublishAsync(fixture.Farm, Room, $$"""{"text":{{WsClient.Quote(Text)}},"pad":"{{new string('x', pad)}}"}""");
        await page.HoldsAsync("log.includes('closed')");
        Assert.Equal(
            $"permessage-deflate\nJOINED {Room} \nPUSH {Room} {Text} {pad}\nclosed 1000 clean true\n",
            await page.EvaluateAsync<string>("log"));
        Assert.Empty(await page.ErrorsAsync());
        Assert.Equal(deflated, await DeflatedAsync() - before);
    }

    private async Task<double> DeflatedAsync() => (await Metrics.ScrapeAsync(fixture.Farm))["push_batches_encoded_total{variant=\"json_deflate\"}"];

    private WebApplication Serve(int port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add($"http://127.0.0.1:{port}");
        var page = Page.Replace("NODE", WsClient.Quote($"ws://127.0.0.1:{fixture.Farm.NodePort}/connect"), StringComparison.Ordinal).Replace("ROOM", WsClient.Quote(Room), StringComparison.Ordinal);
        app.MapGet("/", () => Results.Content(page, "text/html; charset=utf-8"));
        return app;
    }
}
