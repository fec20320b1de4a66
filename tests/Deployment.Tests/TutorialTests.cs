using System.Text.RegularExpressions;
using Deployment.Tests.Harness;
using TestSupport.Browsers;
using TestSupport.Clients;
using TestSupport.Processes;

namespace Deployment.Tests;

/// <summary>docs/tutorial.md, followed by a test instead of a reader.</summary>
public sealed partial class TutorialTests : IAsyncDisposable
{
    /// <summary>The addresses that programs have without being told.</summary>
    private static readonly (string Key, string Value)[] Defaults =
    [
        ("Farm__NodeUrl", "http://localhost:7777"), ("Farm__ApiUrl", "http://localhost:7799"), ("Management__Port", "9464"),
        ("Chat__Api", "http://localhost:7799"), ("Chat__Clients", "ws://localhost:7777/ws"),
        // Not an address: a busy machine is no outage.
        ("Backplane__CanaryTimeout", "00:01:00"),
    ];

    private readonly Dictionary<string, int> _ports = [];
    private readonly string _directory = Path.Combine(Path.GetTempPath(), $"redispush-tutorial-{Guid.NewGuid():N}");
    private readonly List<BrowserPage> _windows = [];

    [Fact]
    public async Task Every_command_of_the_tutorial_does_what_the_page_says()
    {
        Array.ForEach(["curl", "redis-server", "redis-cli", "nginx"], program => InstalledProgram.Find(program));
        await using var shell = new Shell([.. Defaults.Select(setting => (setting.Key, Placed(setting.Value)))]);
        List<string> printed = [];
        foreach (var step in TutorialPage.Steps())
        {
            switch (step.Kind)
            {
                case "sh" when step.Text.StartsWith("sudo apt-get install", StringComparison.Ordinal):
                    AssertInstalledForTests(step.Text);
                    break;
                case "sh":
                    printed = await shell.RunAsync(Placed(step.Text));
                    break;
                case "text":
                    Assert.True(TutorialPage.IsAsShown(Placed(step.Text), printed), $"Shown:\n{Placed(step.Text)}\nprinted:\n{string.Join('\n', printed)}");
                    break;
                case "test":
                    await DoAsync(Placed(step.Text));
                    break;
                default:
                    Assert.Contains(step.Text, Repository.Read($"samples/Chat/{(step.Kind == "js" ? "page/index.html" : "Program.cs")}"), StringComparison.Ordinal);
                    break;
            }
        }

        Assert.False(Directory.Exists(_directory), "The tutorial leaves its directory behind.");
    }

    [Fact]
    public void The_page_names_every_port_that_it_uses()
    {
        var text = Repository.Read("docs/tutorial.md");
        var used = Port().Matches(text).Select(match => int.Parse(match.Value, System.Globalization.CultureInfo.InvariantCulture)).Distinct().Order();
        Assert.Equal([5080, 6380, 7777, 7799, 7801, 7802, 7803, 8080, 9464, 9471, 9472, 9473], used);
        Assert.Contains("5080, 6380, 7777, 7799, 7801 to 7803, 8080, 9464 and\n9471 to 9473, on localhost only", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a\nb", "a\nb", true)]
    [InlineData("a...c", "abbc", true)]
    [InlineData("...\nb", "a\na\nb", true)]
    [InlineData("a", "a\nb", false)]
    [InlineData("a", "ab", false)]
    [InlineData("a.c", "abc", false)]
    public void What_is_shown_is_compared_with_what_was_printed(string shown, string printed, bool same) =>
        Assert.Equal(same, TutorialPage.IsAsShown(shown, printed.Split('\n')));

    public async ValueTask DisposeAsync()
    {
        await CloseWindowsAsync();
        if (Directory.Exists(_directory))
            Directory.Delete(_directory, recursive: true);
    }

    /// <summary>The text for a machine on which other tests run: with free ports, and a directory of this test's own.</summary>
    private string Placed(string text) => Port().Replace(text, match => $"{FreeFor(match.Value)}").Replace("/tmp/push-tutorial", _directory, StringComparison.Ordinal);

    private int FreeFor(string port)
    {
        if (!_ports.TryGetValue(port, out var free))
            _ports.Add(port, free = FreePort.Next());
        return free;
    }

    /// <summary>tests/run.sh installs what it needs itself.</summary>
    private static void AssertInstalledForTests(string command)
    {
        var packages = command.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Skip(3).Where(word => !word.StartsWith('-'));
        Assert.All(packages, package => Assert.Contains($"\n{package} ", Repository.Read("tests/run.sh"), StringComparison.Ordinal));
    }

    private async Task DoAsync(string what)
    {
        switch (what.Split(' ', 2))
        {
            case ["open", var url]:
                var before = await OnlineAsync();
                _windows.Add(await BrowserPage.OpenAsync(BrowserKind.Chromium, url));
                await _windows[^1].HoldsAsync("document.getElementById('state').textContent === 'connected'");
                // The page joins its room after it has connected, and a reader is slower than that.
                await Eventually.HoldsAsync(async () => await OnlineAsync() > before, "the window is in the room");
                break;
            case ["shows", var text]:
                await ShowsAsync(text.Trim('"'));
                break;
            case ["say"]:
                await _windows[0].ClickAsync("#name");
                await _windows[0].TypeAsync("Bob");
                await _windows[0].ClickAsync("#text");
                await _windows[0].TypeAsync("from the page");
                await _windows[0].PressAsync("Enter");
                await ShowsAsync("Bob: from the page");
                break;
            case ["close"]:
                await CloseWindowsAsync();
                break;
            default:
                Assert.Fail($"The tutorial wants something unknown: {what}");
                break;
        }
    }

    /// <summary>How many are in the room, by PushFarm's API or by PushApi's.</summary>
    private async Task<int> OnlineAsync()
    {
        var api = await Http.StatusAsync(FreeFor("7799"), "/readyz") is null ? "7803" : "7799";
        return (await Http.GetAsync(FreeFor(api), "/v1/rooms/chat")).JsonBody.GetProperty("online").GetInt32();
    }

    private async Task ShowsAsync(string text)
    {
        foreach (var window in _windows)
            await window.HoldsAsync($"document.getElementById('lines').innerText.includes('{text}')");
    }

    private async Task CloseWindowsAsync()
    {
        foreach (var window in _windows)
            await window.DisposeAsync();
        _windows.Clear();
    }

    /// <summary>Four digits in the ranges of the tutorial's ports.</summary>
    [GeneratedRegex(@"\b(?:[5-8]\d{3}|94\d\d)\b")]
    private static partial Regex Port();
}
