using System.Diagnostics;
using System.Net;
using System.Text;

namespace TestSupport.Processes;

/// <summary>One page in a headless Chromium with a profile of its own. Owned by the test that opened it; killed when disposed.</summary>
public sealed class Browser : IAsyncDisposable
{
    private readonly DirectoryInfo _profile = Directory.CreateTempSubdirectory("push-browser-");
    private readonly Process _process;
    private readonly Task<string> _dumping;
    private readonly Task _errors;

    private Browser(string url, string[] arguments)
    {
        var info = new ProcessStartInfo(InstalledProgram.Find("chromium", "chromium-browser", "google-chrome")) { RedirectStandardOutput = true, RedirectStandardError = true, StandardOutputEncoding = Encoding.UTF8 };
        foreach (var argument in (string[])
        [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", $"--user-data-dir={_profile.FullName}", .. arguments, "--dump-dom", url,
        ])
        {
            info.ArgumentList.Add(argument);
        }

        _process = Process.Start(info)!;
        _errors = _process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        _dumping = _process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Opens a page.</summary>
    /// <param name="url">Its address.</param>
    /// <param name="arguments">More of Chromium's command line.</param>
    public static Browser Open(string url, params string[] arguments) => new(url, arguments);

    /// <summary>The page's DOM once it is loaded, all its images included.</summary>
    public async Task<string> DomAsync(Func<string> context) => WebUtility.HtmlDecode(await Eventually.CompletesAsync(_dumping, "the page's DOM", context));

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync(CancellationToken.None);
        await _errors;
        _process.Dispose();
        _profile.Delete(recursive: true);
    }
}
