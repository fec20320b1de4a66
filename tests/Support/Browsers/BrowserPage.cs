using System.Text.Json;
using TestSupport.Npm;
using TestSupport.Processes;

namespace TestSupport.Browsers;

/// <summary>
/// One page in a headless Chromium or Firefox with a profile of its own, driven by npm's puppeteer-core (browser.js). Owned by the test that
/// opened it, for one caller at a time.
/// </summary>
public sealed class BrowserPage : IAsyncDisposable
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Browsers");

    private readonly NodeProcess _node;

    private BrowserPage(NodeProcess node) => _node = node;

    /// <summary>Opens a browser and a page, and waits for the page's load event. Skips the test under --fast.</summary>
    /// <param name="kind">The browser.</param>
    /// <param name="url">The page's address.</param>
    /// <param name="view">The window's size, and what the reader prefers.</param>
    public static async Task<BrowserPage> OpenAsync(BrowserKind kind, string url, BrowserView? view = null)
    {
        var (name, program) = kind == BrowserKind.Firefox
            ? ("firefox", InstalledProgram.FindFile("firefox-esr", "firefox"))
            : ("chrome", InstalledProgram.FindFile("chromium", "chromium-browser", "google-chrome"));
        await NpmPackages.InstallAsync(Folder);
        var page = new BrowserPage(new NodeProcess(Folder, "browser.js", name, program, JsonSerializer.Serialize(view ?? new BrowserView(), JsonSerializerOptions.Web)));
        try
        {
            await page._node.NextAsync($"an open {name}");
            await page.GoToAsync(url);
        }
        catch
        {
            await page.DisposeAsync();
            throw;
        }

        return page;
    }

    /// <summary>Opens another address, or the same again, and waits for its load event.</summary>
    /// <returns>The status of the answer; 200 for a file.</returns>
    public async Task<int> GoToAsync(string url) => (await AskAsync("goto", url)).GetInt32();

    /// <summary>Leaves the page. The browser aborts its requests, and what it then complains about is forgotten.</summary>
    public Task LeaveAsync() => AskAsync("leave");

    /// <summary>Evaluates an expression in the page, and awaits it if it is a promise.</summary>
    /// <typeparam name="T">What its JSON is read as.</typeparam>
    public async Task<T> EvaluateAsync<T>(string expression) => (await AskAsync("evaluate", expression)).Deserialize<T>(JsonSerializerOptions.Web)!;

    /// <summary>Polls until a condition holds in the page.</summary>
    /// <param name="condition">An expression without side effects; it may throw before it holds.</param>
    public Task HoldsAsync(string condition) =>
        Eventually.HoldsAsync(() => EvaluateAsync<bool>($"(() => {{ try {{ return !!({condition}); }} catch {{ return false; }} }})()"), condition);

    /// <summary>Presses and releases a key: "Tab", "Enter", "ArrowRight", "a".</summary>
    public Task PressAsync(string key) => AskAsync("press", key);

    /// <summary>Types text where the focus is.</summary>
    public Task TypeAsync(string text) => AskAsync("type", text);

    /// <summary>Scrolls the element into view and clicks its middle.</summary>
    public Task ClickAsync(string selector) => AskAsync("click", selector);

    /// <summary>Changes the size of the window's inside, in CSS pixels.</summary>
    public Task ResizeAsync(int width, int height) => AskAsync("resize", new { width, height });

    /// <summary>Writes a PNG of what the window shows.</summary>
    public Task ScreenshotAsync(string path) => AskAsync("screenshot", path);

    /// <summary>
    /// What the browser has complained about: console errors, unhandled exceptions, violations of the page's policy, failed requests and
    /// answers of 400 and above. Each is told once.
    /// </summary>
    public async Task<string[]> ErrorsAsync() => (await AskAsync("errors")).Deserialize<string[]>()!;

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    private async Task<JsonElement> AskAsync(string what, params object[] arguments)
    {
        await _node.SendAsync(JsonSerializer.Serialize<object[]>([what, .. arguments]));
        var answer = await _node.NextAsync($"{what} {string.Join(' ', arguments)}");
        return answer.TryGetProperty("value", out var value) ? value : throw new InvalidOperationException($"{what} {string.Join(' ', arguments)}: {answer}");
    }
}

/// <summary>A browser that Debian has.</summary>
public enum BrowserKind
{
    Chromium,
    Firefox,
}

/// <summary>The window of a <see cref="BrowserPage"/>.</summary>
/// <param name="Width">Of its inside, in CSS pixels.</param>
/// <param name="Height">Of its inside, in CSS pixels.</param>
/// <param name="Dark">Whether the reader prefers dark colours.</param>
/// <param name="ReducedMotion">Whether the reader prefers less motion.</param>
/// <param name="Host">A name that resolves to this machine; Chromium only.</param>
public sealed record BrowserView(int Width = 1280, int Height = 800, bool Dark = false, bool ReducedMotion = false, string? Host = null);
