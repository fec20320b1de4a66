using System.Text.RegularExpressions;
using TestSupport.Browsers;

namespace PushFarm.FunctionalTests;

/// <summary>The browser client of docs/protocol.md, in a real browser, with a WebSocket that the page closes itself.</summary>
public sealed partial class DocumentedClientTests
{
    // Timers are recorded instead of started, because the test asks how long the client would wait.
    private const string Page = """
        <!doctype html><meta charset="utf-8"><title>push</title>
        <script>
          let socket, delay;
          window.WebSocket = class { constructor() { socket = this; } };
          window.setTimeout = (_, milliseconds) => { delay = milliseconds; };
          window.setInterval = () => 0;
        CLIENT
          const delayAfter = (code, reason) => { subscribe('ws://node/ws', ['demo'], {}); socket.onclose({ code, reason }); return delay; };
          const least = code => Math.min(...Array.from({ length: 100 }, () => delayAfter(code, '')));
        </script>
        """;

    [Fact]
    public async Task The_documented_client_waits_at_least_30_s_after_4029()
    {
        var folder = Directory.CreateTempSubdirectory("push-page-");
        try
        {
            var page = Path.Combine(folder.FullName, "page.html");
            await File.WriteAllTextAsync(page, Page.Replace("CLIENT", await ClientAsync(), StringComparison.Ordinal), TestContext.Current.CancellationToken);
            await using var browser = await BrowserPage.OpenAsync(BrowserKind.Chromium, new Uri(page).AbsoluteUri);
            Assert.Equal(1500, await browser.EvaluateAsync<double>("delayAfter(1001, 'retry=1500')"));
            Assert.True(await browser.EvaluateAsync<double>("least(1006)") < 500);
            Assert.True(await browser.EvaluateAsync<double>("least(4029)") >= 30_000);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<string> ClientAsync()
    {
        var protocol = await File.ReadAllTextAsync(Repository.PathTo("docs/protocol.md"), TestContext.Current.CancellationToken);
        return Script().Match(protocol).Groups[1].Value;
    }

    [GeneratedRegex("(?s)## A browser client.*?```js\n(.*?)```")]
    private static partial Regex Script();
}
