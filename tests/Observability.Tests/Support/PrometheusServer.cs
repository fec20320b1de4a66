using System.Diagnostics;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using TestSupport.Clients;
using TestSupport.Processes;

namespace Observability.Tests.Support;

/// <summary>
/// A prometheus process with the repository's prometheus.yml and rules, laid out as the container mounts them; it finds its targets by file. Only the
/// intervals are shorter, for the test's sake. Killed when disposed.
/// </summary>
internal sealed class PrometheusServer : IAsyncDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("redispush-prometheus-");
    private readonly ProgramOutput _log = new();
    private readonly int _port = FreePort.Next();
    private readonly Process _process;

    private PrometheusServer(Func<string, string> rules, (string Job, int[] Ports)[] targets)
    {
        // Not shorter: a process that a busy machine lets answer too late counts as down, and three times of that are an alert of its own.
        var config = Shorter(Repository.Read("prometheus.yml"), ("scrape_interval", "4s"), ("evaluation_interval", "1s"));
        File.WriteAllText(Path.Combine(_directory.FullName, "prometheus.yml"), config);
        _directory.CreateSubdirectory("rules");
        foreach (var file in Repository.Files("prometheus", "*.rules.yml"))
            File.WriteAllText(Path.Combine(_directory.FullName, "rules", Path.GetFileName(file)), rules(File.ReadAllText(file)));
        foreach (var (job, ports) in targets)
            SetTargets(job, ports);

        string[] arguments =
        [
            "--config.file=prometheus.yml", "--storage.tsdb.path=data", $"--web.listen-address=127.0.0.1:{_port}", "--log.level=warn",
            // An alert that fired before an Alertmanager was found is sent again after this.
            "--rules.alert.resend-delay=1s",
        ];
        var start = new ProcessStartInfo(InstalledProgram.Find("prometheus"), arguments) { WorkingDirectory = _directory.FullName };
        _process = new Process { StartInfo = start };
        ProgramOutput.Start(_process, _log, _log);
    }

    public string Log => _log.ToString();

    /// <param name="rules">What is done to each file of rules.</param>
    /// <param name="targets">The management ports of each job.</param>
    public static async Task<PrometheusServer> StartAsync(Func<string, string> rules, params (string Job, int[] Ports)[] targets)
    {
        var server = new PrometheusServer(rules, targets);
        await Eventually.HoldsAsync(async () => await Http.StatusAsync(server._port, "/-/ready") == HttpStatusCode.OK, "Prometheus is ready", () => server.Log);
        return server;
    }

    /// <summary>Changes what discovery finds.</summary>
    public void SetTargets(string job, params int[] ports)
    {
        // Prometheus watches the directory: a half-written file must not be seen.
        var file = Path.Combine(_directory.FullName, $"targets-{job}.yml");
        File.WriteAllText(file + ".new", $"- targets: [{string.Join(", ", ports.Select(port => $"\"127.0.0.1:{port}\""))}]\n");
        File.Move(file + ".new", file, overwrite: true);
    }

    /// <summary>An instant query's result, or a range query's over the last two minutes.</summary>
    /// <exception cref="Xunit.Sdk.XunitException">The expression is not valid.</exception>
    public async Task<JsonElement[]> QueryAsync(string expression, bool range = false)
    {
        var query = $"query={Uri.EscapeDataString(expression)}";
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var answer = await Http.PostAsync(_port, range ? "/api/v1/query_range" : "/api/v1/query", Http.Form, range ? $"{query}&start={now - 120}&end={now}&step=5" : query);
        Assert.True(answer.Status == HttpStatusCode.OK, $"{expression}: {answer.Body}");
        return [.. answer.JsonBody.GetProperty("data").GetProperty("result").EnumerateArray()];
    }

    /// <summary>The values of one label.</summary>
    public async Task<string[]> LabelValuesAsync(string label, string selector)
    {
        var answer = await Http.GetAsync(_port, $"/api/v1/label/{label}/values?match[]={Uri.EscapeDataString(selector)}");
        Assert.True(answer.Status == HttpStatusCode.OK, $"{selector}: {answer.Body}");
        return [.. answer.JsonBody.GetProperty("data").EnumerateArray().Select(value => value.GetString()!)];
    }

    /// <summary>Every rule as Prometheus has understood it.</summary>
    public async Task<JsonElement[]> RulesAsync()
    {
        var answer = await Http.GetAsync(_port, "/api/v1/rules");
        return [.. answer.JsonBody.GetProperty("data").GetProperty("groups").EnumerateArray().SelectMany(group => group.GetProperty("rules").EnumerateArray())];
    }

    /// <summary>The names of the alerts that fire now.</summary>
    public async Task<HashSet<string>> FiringAsync()
    {
        var answer = await Http.GetAsync(_port, "/api/v1/alerts");
        return [.. answer.JsonBody.GetProperty("data").GetProperty("alerts").EnumerateArray()
            .Where(alert => alert.GetProperty("state").GetString() == "firing")
            .Select(alert => alert.GetProperty("labels").GetProperty("alertname").GetString()!)];
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
        _directory.Delete(recursive: true);
    }

    private static string Shorter(string config, params (string Key, string Value)[] settings)
    {
        foreach (var (key, value) in settings)
        {
            var changed = Regex.Replace(config, $@"(?m)^(\s*{key}:).*$", $"$1 {value}");
            Assert.NotEqual(config, changed);
            config = changed;
        }

        return config;
    }
}
