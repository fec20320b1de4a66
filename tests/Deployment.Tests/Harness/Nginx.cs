using TestSupport.Clients;
using TestSupport.Processes;

namespace Deployment.Tests.Harness;

/// <summary>The repository's nginx configuration, rendered into a directory of its own and run by the nginx of this machine.</summary>
internal sealed class Nginx : IAsyncDisposable
{
    private const int Hangup = 1;

    private readonly string _directory;
    private readonly Tool _nginx;

    private Nginx(string directory, NginxPorts ports)
    {
        (_directory, Ports) = (directory, ports);
        _nginx = Tool.Start("nginx", Arguments(directory));
    }

    public NginxPorts Ports { get; }

    public string Output => _nginx.Output;

    /// <param name="settings">PUSH_ variables; ports are chosen here unless they are among them.</param>
    /// <param name="edit">Changes the rendered directory, for what only an outside has that a test machine lacks.</param>
    /// <param name="options">Of render.sh.</param>
    public static async Task<Nginx> StartAsync(IEnumerable<(string Name, string Value)> settings, Action<string>? edit = null, params string[] options)
    {
        var ports = NginxPorts.Free();
        var directory = await RenderAsync(options, [.. ports.Settings, .. settings]);
        edit?.Invoke(directory);
        var nginx = new Nginx(directory, ports);
        await Eventually.HoldsAsync(async () => await Http.StatusAsync(ports.Status, "/healthz") == System.Net.HttpStatusCode.OK, "nginx answers", () => nginx.Output);
        return nginx;
    }

    /// <summary>Renders with the repository's own script.</summary>
    /// <param name="options">Of render.sh.</param>
    /// <param name="settings">PUSH_ variables; of two for one name the later counts.</param>
    /// <returns>The directory.</returns>
    public static async Task<string> RenderAsync(string[] options, (string Name, string Value)[] settings)
    {
        InstalledProgram.Find("envsubst");
        var directory = Directory.CreateTempSubdirectory("redispush-test-").FullName;
        var variables = settings.GroupBy(setting => setting.Name).ToDictionary(group => group.Key, group => group.Last().Value);
        var (exitCode, output) = await Tool.RunAsync(Repository.PathTo("nginx/render.sh"), [.. options, directory], variables);
        Assert.True(exitCode == 0, output);
        return directory;
    }

    /// <summary>Changes a line of a rendered file.</summary>
    public static void Replace(string directory, string name, string old, string with)
    {
        var file = Path.Combine(directory, name);
        var text = File.ReadAllText(file);
        Assert.Contains(old, text, StringComparison.Ordinal);
        File.WriteAllText(file, text.Replace(old, with, StringComparison.Ordinal));
    }

    /// <summary>What runs, or with <c>-t</c> checks, a rendered directory.</summary>
    public static string[] Arguments(string directory) => ["-e", "stderr", "-c", Path.Combine(directory, "nginx.conf"), "-g", $"daemon off; pid {Path.Combine(directory, "nginx.pid")};"];

    /// <summary>Reloads, and waits until new workers have taken over the accepting.</summary>
    public async Task ReloadAsync()
    {
        var before = Workers();
        Signals.Send(_nginx.Pid, Hangup);
        await Eventually.HoldsAsync(() => Workers() is { Length: > 0 } now && !now.Intersect(before).Any(), "new workers run, and no other accepts", () => Output);
    }

    /// <summary>How many connections it has open, of clients and others.</summary>
    public async Task<int> ConnectionsAsync() => int.Parse((await Http.GetAsync(Ports.Status, "/status")).Body.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries)[2], System.Globalization.CultureInfo.InvariantCulture);

    public async ValueTask DisposeAsync()
    {
        await _nginx.DisposeAsync();
        if (Directory.Exists(_directory))
            Directory.Delete(_directory, recursive: true);
    }

    /// <summary>The process ids of its workers that accept.</summary>
    private int[] Workers() =>
        [.. Directory.GetDirectories("/proc").Select(Path.GetFileName).Where(name => int.TryParse(name, out _)).Select(int.Parse!).Where(IsWorker)];

    private bool IsWorker(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1] == $"{_nginx.Pid}" && !File.ReadAllText($"/proc/{pid}/cmdline").Contains("shutting down", StringComparison.Ordinal);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return false; // Expected: it has ended meanwhile.
        }
    }
}
