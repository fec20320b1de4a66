using TestSupport.Browsers;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests.Harness;

/// <summary>A farm of its own, which is drained, and the live room open in a browser. Each test opens the page anew.</summary>
public abstract class LiveRoomFixture(BrowserKind kind) : IAsyncLifetime
{
    /// <summary>Rooms with this prefix are in slow mode.</summary>
    internal const string SlowRoom = "slow";

    /// <summary>Rooms with this prefix have a history.</summary>
    internal const string KeptRoom = "kept";

    private ProgramProcess? _farm;
    private BrowserPage? _page;

    internal ProgramProcess Farm => _farm ?? throw new InvalidOperationException("The farm is not started.");

    internal BrowserPage Page => _page ?? throw new InvalidOperationException("The browser is not started.");

    internal string Url => $"http://127.0.0.1:{Farm.NodePort}/";

    internal BrowserKind Kind => kind;

    public async ValueTask InitializeAsync()
    {
        // A drained page is away for much longer than a merge window. Otherwise what is published meanwhile could wait for it in the open batch.
        _farm = await ProgramProcess.StartFarmAsync(
            ("Push:Drain:RetryAfter", "00:00:06"),
            ("Rooms:0:Pattern", $"{SlowRoom}*"),
            ("Rooms:0:SlowMode", "00:10:00"),
            ("Rooms:1:Pattern", $"{KeptRoom}*"),
            ("Rooms:1:History:Size", "5000"));
        _page = await BrowserPage.OpenAsync(kind, Url);
    }

    public async ValueTask DisposeAsync()
    {
        if (_page is not null)
            await _page.DisposeAsync();
        if (_farm is not null)
            await _farm.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>Opens the page anew in a room of the test's own, where it publishes nothing by itself.</summary>
    /// <returns>The room.</returns>
    internal async Task<string> EnterAsync(string prefix = "live")
    {
        var room = Room.New(prefix);
        await GoToAsync($"{Url}#room={Uri.EscapeDataString(room)}");
        await Page.HoldsAsync("document.querySelector('.state.joined')");
        return room;
    }

    /// <summary>Loads an address of the page, even if it differs from the present one in its hash only.</summary>
    internal async Task GoToAsync(string url)
    {
        await Page.LeaveAsync();
        await Page.GoToAsync(url);
    }

    /// <summary>One of the page's figures.</summary>
    internal Task<double> NumberAsync(string id) => Page.EvaluateAsync<double>(Number(id));

    /// <summary>The expression of a figure.</summary>
    internal static string Number(string id) => $"Number(document.getElementById('{id}').textContent.replaceAll(',', ''))";

    /// <summary>Moves the storm's slider to one of its steps with the keyboard.</summary>
    internal async Task StormAsync(string key)
    {
        await Page.EvaluateAsync<object?>("document.getElementById('storm').focus()");
        await Page.PressAsync(key);
    }

    /// <summary>Waits until the page knows of each message that it has sent whether it came.</summary>
    internal async Task SettlesAsync()
    {
        // The page writes its figures every 250 ms. When a later timer of its own fires, those from before the last key are gone.
        await Page.EvaluateAsync<object?>("new Promise(done => setTimeout(done, 300))");
        await Page.HoldsAsync(
            $"{Number("waiting")} === 0 && {Number("on-the-way")} === 0 && {Number("sent")} > 0 && {Number("sent")} === {Number("received")} + {Number("missed")}");
    }

    /// <summary>What the browser has complained about since the last call, but for what no page can prevent.</summary>
    internal async Task<IEnumerable<string>> ErrorsAsync() => (await Page.ErrorsAsync()).Where(error => !IsNatural(error));

    /// <summary>
    /// Whether a WebSocket did not open: a page that is back before the node has closed its last client is refused once more. The tests see that a
    /// page connects by what it shows.
    /// </summary>
    private static bool IsNatural(string error) => error.StartsWith("console: WebSocket connection to ", StringComparison.Ordinal);
}

/// <summary>In Chromium.</summary>
public sealed class ChromiumLiveRoom() : LiveRoomFixture(BrowserKind.Chromium);

/// <summary>In Firefox.</summary>
public sealed class FirefoxLiveRoom() : LiveRoomFixture(BrowserKind.Firefox);
