using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>A real browser's WebSocket, as strict as browsers are, in a page of ours.</summary>
[Collection(EpollFarmDefinition.Name)]
public sealed class BrowserTests(FarmFixture fixture)
{
    private const string Room = "默认房间";
    private const string Text = "你好，世界 🎉 <b>&";

    // The image is answered when the page is done, because Chromium dumps the DOM once all images are loaded.
    private const string Page = """
        <!doctype html><meta charset="utf-8"><title>push</title><pre id="log"></pre><img src="/hold">
        <script>
          const log = line => document.getElementById('log').textContent += line + '\n';
          const socket = new WebSocket(NODE);
          socket.onopen = () => {
            log('extension ' + socket.extensions);
            socket.send(JSON.stringify({ type: 'JOIN', data: { room: ROOM } }));
          };
          socket.onmessage = event => {
            const message = JSON.parse(event.data);
            log(message.type + ' ' + message.data.room + ' ' + (message.data.items || []).map(item => item.text + ' ' + (item.pad || '').length));
            if (message.type === 'JOINED') fetch('/joined');
            if (message.type === 'PUSH') socket.close(1000, 'enough');
          };
          socket.onclose = event => { log('closed ' + event.code + ' clean ' + event.wasClean); fetch('/done'); };
        </script>
        """;

    [Theory]
    [InlineData(0, 0)]
    [InlineData(3000, 1)]
    public async Task A_page_joins_a_room_and_shows_what_is_published(int pad, int deflated)
    {
        var before = await DeflatedAsync();
        var (joined, done) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        var port = FreePort.Next();
        await using var server = Serve(port, joined, done);
        await server.StartAsync(TestContext.Current.CancellationToken);

        await using var browser = Browser.Open($"http://127.0.0.1:{port}/");
        await Eventually.CompletesAsync(joined.Task, "the page's JOINED", () => fixture.Farm.Log);
        await Http.PublishAsync(fixture.Farm, Room, $$"""{"text":{{WsClient.Quote(Text)}},"pad":"{{new string('x', pad)}}"}""");
        Assert.Contains(
            $"extension permessage-deflate; server_no_context_takeover; client_no_context_takeover\nJOINED {Room} \nPUSH {Room} {Text} {pad}\nclosed 1000 clean true\n", await browser.DomAsync(() => fixture.Farm.Log), StringComparison.Ordinal);
        Assert.Equal(deflated, await DeflatedAsync() - before);
    }

    private async Task<double> DeflatedAsync() => (await Metrics.ScrapeAsync(fixture.Farm))["push_batches_encoded_total{variant=\"json_deflate\"}"];

    private WebApplication Serve(int port, TaskCompletionSource joined, TaskCompletionSource done)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add($"http://127.0.0.1:{port}");
        var page = Page.Replace("NODE", WsClient.Quote($"ws://127.0.0.1:{fixture.Farm.NodePort}/connect"), StringComparison.Ordinal).Replace("ROOM", WsClient.Quote(Room), StringComparison.Ordinal);
        app.MapGet("/", () => Results.Content(page, "text/html; charset=utf-8"));
        app.MapGet("/hold", async () =>
        {
            await done.Task;
            return Results.NoContent();
        });
        app.MapGet("/joined", () => joined.TrySetResult() ? Results.NoContent() : Results.NoContent());
        app.MapGet("/done", () => done.TrySetResult() ? Results.NoContent() : Results.NoContent());
        return app;
    }
}
