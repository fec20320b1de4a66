using PushFarm.FunctionalTests.Harness;
using TestSupport.Browsers;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>The node's page in real browsers.</summary>
[Collection(RedisFarmDefinition.Name)]
public sealed class NodePageBrowserTests(RedisFarmFixture fixture)
{
    /// <summary>What a name may be at worst: characters of HTML, of a URL, and of another script.</summary>
    private const string Room = "<b>&x=1#?%20 默认";

    /// <summary>The value of a plot's line as the page writes it.</summary>
    private static string Value(string title, string line) => $$"""
        [...document.querySelectorAll('figure')].find(figure => figure.querySelector('h3').textContent === '{{title}}')
          ?.querySelectorAll('li').values().find(item => item.children[1].textContent === '{{line}}')?.lastChild.textContent
        """;

    [Theory]
    [InlineData(BrowserKind.Chromium)]
    [InlineData(BrowserKind.Firefox)]
    public async Task The_page_shows_the_node_and_works_by_keyboard(BrowserKind kind)
    {
        await using var farm = await ProgramProcess.StartFarmAsync(("Push:Merge:Gather", "00:00:00.03"));
        await using var client = await WsClient.ConnectAsync(farm.NodePort);
        await client.JoinAsync(Room);
        for (var i = 0; i < 3; i++)
            await Http.PublishAsync(farm, Room, $"{i}");
        await client.NextItemsAsync(Room, 3);

        await using var page = await BrowserPage.OpenAsync(kind, Url(farm));
        await page.HoldsAsync("document.getElementById('health').textContent === 'Ready'");
        await page.HoldsAsync($"{Value("Connections", "all")} === '1' && {Value("Rooms", "rooms")} === '1'");
        // What a screen reader gets of a plot is text.
        await page.HoldsAsync("[...document.querySelectorAll('figure svg')].every(plot => plot.getAttribute('role') === 'img' && plot.getAttribute('aria-label').length > 20)");

        // The room's name comes from a client and is text, whatever is in it.
        await page.EvaluateAsync<object?>("document.getElementById('rooms').scrollIntoView()");
        await page.HoldsAsync($"document.querySelector('#top button').textContent === {WsClient.Quote(Room)}");
        await ActivateAsync(page, kind, "#top button");
        await page.HoldsAsync($"document.querySelector('#inspected dd').textContent === {WsClient.Quote(Room)}");
        await page.HoldsAsync("document.querySelector('#inspected').textContent.includes('3 messages in')");
        Assert.Equal(0, await page.EvaluateAsync<int>("document.querySelectorAll('main b, #rooms b').length"));

        await ActivateAsync(page, kind, "#settings summary");
        await page.HoldsAsync("[...document.querySelectorAll('#keys tr.set')].some(row => row.textContent === 'Push:Merge:Gather00:00:00.0300:00:00.05environment')");
        Assert.Empty(await page.ErrorsAsync());

        // Reloaded, the address still names the room, and the page goes there.
        var address = await page.EvaluateAsync<string>("location.href");
        await page.LeaveAsync();
        await page.GoToAsync(address);
        await page.HoldsAsync($"document.querySelector('#inspected dd').textContent === {WsClient.Quote(Room)}");
        Assert.Empty(await page.ErrorsAsync());
    }

    [Fact]
    public async Task The_page_fits_a_phone_and_shows_the_past_by_keyboard()
    {
        await using var client = await WsClient.ConnectAsync(fixture.First.NodePort);
        await using var page = await BrowserPage.OpenAsync(BrowserKind.Chromium, Url(fixture.First), new BrowserView(Width: 360, Height: 740, Dark: true));
        await page.HoldsAsync("document.querySelectorAll('figure').length > 10");
        await page.EvaluateAsync<object?>("document.getElementById('settings').open = true");
        await page.HoldsAsync("document.querySelectorAll('#keys tr').length > 40");
        Assert.Equal(360, await page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        Assert.Equal("rgb(16, 19, 23)", await page.EvaluateAsync<string>("getComputedStyle(document.body).backgroundColor"));

        // The arrow keys move through the past, in all plots at once.
        await page.HoldsAsync("document.querySelector('#process').textContent.includes('running for')");
        await page.HoldsAsync("document.querySelector('figure div:not([hidden]) > svg')");
        await page.EvaluateAsync<object?>("document.querySelector('figure div:not([hidden]) > svg').focus()");
        await page.PressAsync("ArrowLeft");
        await page.HoldsAsync("document.getElementById('cursor').textContent.startsWith('values at ')");
        await page.PressAsync("Escape");
        await page.HoldsAsync("document.getElementById('cursor').textContent === ''");
        Assert.Empty(await page.ErrorsAsync());
    }

    [Fact]
    public async Task A_hidden_tab_asks_for_nothing_and_a_visible_one_at_once()
    {
        await using var page = await BrowserPage.OpenAsync(BrowserKind.Chromium, Url(fixture.First));
        // The page's own class, a thousand times as fast.
        await page.EvaluateAsync<object?>("""
            import('/poll.js').then(({ Poll }) => {
              window.asked = 0;
              window.hide = value => {
                Object.defineProperty(document, 'hidden', { value, configurable: true });
                document.dispatchEvent(new Event('visibilitychange'));
              };
              new Poll(2, async () => { asked++; }).now();
            })
            """);
        await page.HoldsAsync("asked > 3");
        var hidden = await page.EvaluateAsync<int[]>("""
            (async () => {
              hide(true);
              const before = asked;
              await new Promise(done => setTimeout(done, 200));
              return [before, asked];
            })()
            """);
        // At most the question that was under way.
        Assert.InRange(hidden[1] - hidden[0], 0, 1);
        await page.EvaluateAsync<object?>("hide(false), null");
        await page.HoldsAsync($"asked > {hidden[1] + 3}");
    }

    [Fact]
    public async Task The_page_says_since_when_the_node_has_not_answered()
    {
        await using var farm = await ProgramProcess.StartFarmAsync();
        await using var page = await BrowserPage.OpenAsync(BrowserKind.Chromium, Url(farm));
        await page.HoldsAsync("document.getElementById('health').textContent === 'Ready'");
        farm.Signal(Signals.Kill);
        await farm.ExitAsync();
        await page.HoldsAsync("/^The node has not answered since \\d\\d:\\d\\d:\\d\\d, for /.test(document.getElementById('silence').textContent)");
        await page.HoldsAsync("document.getElementById('health').textContent === 'No answer'");

        // Another process at the same address: the page goes on with that one.
        await using var again = ProgramProcess.Start(
            "PushFarm",
            [("Management:Port", $"{farm.ManagementPort}"), ("Farm:NodeUrl", $"http://127.0.0.1:{FreePort.Next()}"), ("Farm:ApiUrl", $"http://127.0.0.1:{FreePort.Next()}"), ("Push:Node", "again")],
            []);
        await page.HoldsAsync("document.getElementById('name').textContent === 'again' && document.getElementById('silence').hidden");
    }

    [Fact]
    public async Task A_page_that_is_open_for_days_holds_ten_minutes()
    {
        await using var page = await BrowserPage.OpenAsync(BrowserKind.Chromium, Url(fixture.First));
        var held = await page.EvaluateAsync<int[]>("""
            (async () => {
              const { History } = await import('/history.js');
              const history = new History();
              for (let sample = 1; sample <= 5000; sample++) {
                const lines = [{ name: 'line', values: [sample] }];
                if (sample > 4000) lines.push({ name: 'late', values: [-sample] });
                history.add({ run: 'run', sample, length: 300, interval: 2, times: [sample * 2000], plots: [{ title: 'plot', lines }] });
              }
              const [line, late] = history.plots[0].lines;
              return [history.times.length, line.values.length, line.values[0], line.values.at(-1), late.values.length, late.values[0], history.times[0] / 2000];
            })()
            """);
        Assert.Equal([300, 300, 4701, 5000, 300, -4701, 4701], held);
    }

    /// <summary>By keyboard, except in Firefox, where a key that puppeteer presses reaches the page but does not press the button.</summary>
    private static async Task ActivateAsync(BrowserPage page, BrowserKind kind, string selector)
    {
        if (kind == BrowserKind.Firefox)
        {
            await page.ClickAsync(selector);
            return;
        }

        await page.EvaluateAsync<object?>($"document.querySelector('{selector}').focus()");
        await page.PressAsync("Enter");
    }

    private static string Url(ProgramProcess program) => $"http://127.0.0.1:{program.ManagementPort}/";
}
