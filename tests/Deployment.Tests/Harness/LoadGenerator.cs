using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using TestSupport.Processes;

namespace Deployment.Tests.Harness;

/// <summary>A run of src/PushLoad through nginx, which publishes to the API from its beginning to its end: <see cref="FinishAsync"/>.</summary>
internal sealed partial class LoadGenerator : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("redispush-test-").FullName;
    private readonly Tool _program;

    private LoadGenerator(NginxFarm farm, string[] options) => _program = Tool.Start(
        "dotnet",
        [
            Repository.Built("src/PushLoad"), $"ws://127.0.0.1:{farm.Nginx.Ports.Clients}/ws", "--publish", $"http://127.0.0.1:{farm.Api.ApiPort}",
            // A busy machine may take long for everything, and Redis longer than the API waits for it: the request is then repeated with its key.
            "--connect-timeout", "120", "--duration", "3600", "--drain", "60", "--retry", "60", "--json", File, .. options,
        ]);

    public string Output => _program.Output;

    private string File => Path.Combine(_directory, "result.json");

    /// <summary>Starts it and waits until everybody is joined and publishing has begun.</summary>
    public static async Task<LoadGenerator> StartAsync(NginxFarm farm, params string[] options)
    {
        var load = new LoadGenerator(farm, options);
        await load._program.WroteAsync("s  run");
        return load;
    }

    /// <summary>Waits until it says that so many connections are in their rooms.</summary>
    public async Task JoinedAsync(int count)
    {
        var (written, joined) = (Output.Length, string.Create(CultureInfo.InvariantCulture, $"  joined {count:N0}  "));
        await Eventually.HoldsAsync(() => Output.IndexOf(joined, written, StringComparison.Ordinal) >= 0, $"{count} are joined", () => Output);
    }

    /// <summary>Waits until messages flow, ends the publishing and waits for the verdict.</summary>
    /// <returns>What it wrote as JSON.</returns>
    public async Task<JsonElement> FinishAsync()
    {
        var written = Output.Length;
        await Eventually.HoldsAsync(() => Delivers().IsMatch(Output, written), "messages are delivered", () => Output);
        // Not SIGINT, which a shell makes its background jobs ignore.
        Signals.Send(_program.Pid, Signals.Terminate);
        await _program.ExitAsync();
        using var result = JsonDocument.Parse(await System.IO.File.ReadAllTextAsync(File, TestContext.Current.CancellationToken));
        return result.RootElement.Clone();
    }

    public async ValueTask DisposeAsync()
    {
        await _program.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>In its line of each second.</summary>
    [GeneratedRegex("deliveries/s [1-9]")]
    private static partial Regex Delivers();
}
