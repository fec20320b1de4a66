using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using TestSupport.Browsers;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>Pages of other origins, in a real browser that can reach the publish API.</summary>
public sealed class BrowserPublishTests
{
    private const string Frame = """
        <!doctype html><meta charset="utf-8"><title>push</title>
        <script>
          const API = 'ADDRESS';
          let told = '', done = false;
          const log = line => { told += line + '\n'; };
          const attempt = async (name, send) => {
            try { log(name + ': ' + await send()); } catch (error) { log(name + ': ' + error); }
          };
          const submit = sandbox => new Promise(done => {
            const frame = document.createElement('iframe');
            frame.sandbox = sandbox;
            frame.srcdoc = `<body onload="document.forms[0].submit()"><form method="post" action="${API}/push/all"><input name="items" value='["form"]'></form>`;
            let loads = 0; // The form's own page, then the answer.
            frame.onload = () => { if (++loads === 2) done('answered'); };
            document.body.append(frame);
          });
          (async () => {
            SCRIPT
            done = true;
          })();
        </script>
        """;

    private const string Attack = """
        await attempt('fetch', async () => (await fetch(API + '/v1/broadcast', { method: 'POST', mode: 'no-cors', body: 'fetch' })).type);
        await attempt('form', () => submit('allow-scripts allow-forms allow-same-origin'));
        await attempt('form without origin', () => submit('allow-scripts allow-forms'));
        await attempt('preflight', () => fetch(API + '/v1/broadcast', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '"preflight"' }));
        await attempt('rebound', async () => (await fetch('/v1/broadcast', { method: 'POST', body: 'rebound' })).status);
        """;

    private const string Publish = """
        await attempt('published', async () => {
          const answer = await fetch(API + '/v1/broadcast', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '"page"' });
          return answer.status + ' ' + await answer.text();
        });
        """;

    [Fact]
    public async Task A_page_of_another_origin_publishes_nothing()
    {
        await using var farm = await ProgramProcess.StartFarmAsync();
        await using var member = await WsClient.ConnectAsync(farm.NodePort);
        var told = await RunAsync("evil.example", FreePort.Next(), Attack, farm);
        foreach (var line in (string[])["fetch: opaque", "form: answered", "form without origin: answered", "preflight: TypeError: Failed to fetch", "rebound: 403"])
            Assert.Contains(line + "\n", told, StringComparison.Ordinal);

        Assert.Equal(HttpStatusCode.Accepted, (await Http.PostAsync(farm.ApiPort, "/v1/broadcast", Http.Text, "the only one")).Status);
        Assert.Equal(["\"the only one\""], await member.NextItemsAsync(null, 1));
        var metrics = await Metrics.ScrapeAsync(farm);
        Assert.Equal(1, metrics["push_api_messages_total"]);
        Assert.Equal(4, metrics["""push_api_rejected_total{reason="cross_site"}"""]);
        Assert.Equal(1, metrics["""push_api_rejected_total{reason="bad_host"}"""]);
    }

    [Fact]
    public async Task A_page_of_an_allowed_origin_publishes_and_reads_the_answer()
    {
        var port = FreePort.Next();
        await using var farm = await ProgramProcess.StartFarmAsync(("PushApi:AllowedOrigins", $"http://app.example:{port}"));
        await using var member = await WsClient.ConnectAsync(farm.NodePort);
        var told = await RunAsync("app.example", port, Publish, farm);
        Assert.Contains("published: 202 {\"accepted\":1,\"nodes\":1}\n", told, StringComparison.Ordinal);
        Assert.Equal(["\"page\""], await member.NextItemsAsync(null, 1));
    }

    /// <summary>Opens a page with a script at an origin that resolves to this machine.</summary>
    /// <returns>What the script has logged when it is done.</returns>
    private static async Task<string> RunAsync(string host, int port, string script, ProgramProcess farm)
    {
        var api = $"http://127.0.0.1:{farm.ApiPort}";
        var page = Frame.Replace("ADDRESS", api, StringComparison.Ordinal).Replace("SCRIPT", script, StringComparison.Ordinal);
        await using var server = Serve(port, page, new Uri(api));
        await server.StartAsync(TestContext.Current.CancellationToken);
        await using var browser = await BrowserPage.OpenAsync(BrowserKind.Chromium, $"http://{host}:{port}/", new(Host: host));
        await browser.HoldsAsync("done");
        return await browser.EvaluateAsync<string>("told");
    }

    private static WebApplication Serve(int port, string page, Uri api)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add($"http://127.0.0.1:{port}");
        app.MapGet("/", () => Results.Content(page, "text/html; charset=utf-8"));
        // DNS rebinding: the page's own name now resolves to the API, which gets the request as the browser made it.
        app.MapPost("/v1/broadcast", async context => context.Response.StatusCode = (int)await RelayAsync(context.Request, api));
        return app;
    }

    private static async Task<HttpStatusCode> RelayAsync(HttpRequest request, Uri api)
    {
        using var relayed = new HttpRequestMessage(HttpMethod.Post, new Uri(api, request.Path)) { Content = new StreamContent(request.Body) };
        foreach (var (name, value) in request.Headers)
        {
            if (!relayed.Headers.TryAddWithoutValidation(name, (string?)value))
                relayed.Content.Headers.TryAddWithoutValidation(name, (string?)value);
        }

        return (await Http.SendAsync(relayed)).Status;
    }
}
