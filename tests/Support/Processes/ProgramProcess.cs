using System.Diagnostics;
using System.Net;
using TestSupport.Clients;

namespace TestSupport.Processes;

/// <summary>
/// PushFarm, PushNode or PushApi as a real process, the way an operator runs it: settings by environment, a management port to ask.
/// Owned by the test or fixture that started it; killed when disposed.
/// </summary>
public sealed class ProgramProcess : IAsyncDisposable
{
    private static readonly string[] OwnSettings = ["ASPNETCORE", "DOTNET_ENVIRONMENT", "Push", "Farm", "ConnectionStrings", "Management", "Backplane", "OTEL_", "Proxies", "Logging", "Kestrel", "urls"];

    /// <summary>Hundreds of nodes are started by tests, and few of them are there to be fast.</summary>
    public static readonly (string, string) StartsCold = ("Push:Connections:WarmUpHandshakes", "0");

    /// <summary>A client or a node that a busy machine stops for seconds is not cut.</summary>
    private static readonly (string, string) WaitsForHandshakes = ("Push:Connections:HandshakeTimeout", "00:01:00");

    /// <summary>The longest that is accepted.</summary>
    private static readonly (string, string) WaitsForRedis = ("Backplane:PublishTimeout", "00:00:01.9");

    /// <summary>A Redis that a busy machine stops for seconds is not away. Tests that stall one set how soon that is noticed.</summary>
    private static readonly (string, string) BearsStalls = ("Backplane:CanaryTimeout", "00:01:00");

    private readonly Process _process;
    private readonly ProgramOutput _output = new();
    private readonly ProgramOutput _errors = new();

    private ProgramProcess(Process process) => _process = process;

    public required string Name { get; init; }

    /// <summary>Where WebSocket clients connect; 0 for the API.</summary>
    public int NodePort { get; init; }

    /// <summary>Where messages are posted; 0 for a node.</summary>
    public int ApiPort { get; init; }

    public int ManagementPort { get; init; }

    public string WebSocketUrl => $"ws://127.0.0.1:{NodePort}/ws";

    public string ApiUrl => $"http://127.0.0.1:{ApiPort}";

    public int Pid => _process.Id;

    public bool HasExited => _process.HasExited;

    public string Output => _output.ToString();

    public string Errors => _errors.ToString();

    /// <summary>Both streams, for the message of a failed test.</summary>
    public string Log => $"{Name} (pid {Pid}) wrote:\n{Output}\n{Errors}";

    /// <summary>An API and a node in one process; on the memory backplane unless settings name a Redis.</summary>
    public static Task<ProgramProcess> StartFarmAsync(params (string Key, string Value)[] settings) => StartFarmWithDescriptorsAsync(null, settings);

    /// <summary>A farm with a limit on its file descriptors.</summary>
    public static Task<ProgramProcess> StartFarmWithDescriptorsAsync(int? limit, params (string Key, string Value)[] settings)
    {
        var (node, api) = (FreePort.Next(), FreePort.Next());
        (string, string)[] own = [("Farm:NodeUrl", $"http://127.0.0.1:{node}"), ("Farm:ApiUrl", $"http://127.0.0.1:{api}")];
        return StartReadyAsync("PushFarm", node, api, [.. own, StartsCold, WaitsForHandshakes, WaitsForRedis, .. settings], [], limit);
    }

    public static Task<ProgramProcess> StartNodeAsync(RedisProcess redis, params (string Key, string Value)[] settings) => StartNodeAsync([("ConnectionStrings:Redis", redis.EndPoint), .. settings]);

    public static Task<ProgramProcess> StartNodeAsync(params (string Key, string Value)[] settings)
    {
        var port = FreePort.Next();
        (string, string)[] all = [StartsCold, WaitsForHandshakes, WaitsForRedis, BearsStalls, .. settings];
        return StartReadyAsync("PushNode", port, 0, all, ["--urls", $"http://127.0.0.1:{port}"]);
    }

    public static Task<ProgramProcess> StartApiAsync(RedisProcess redis, params (string Key, string Value)[] settings) => StartApiAsync([("ConnectionStrings:Redis", redis.EndPoint), .. settings]);

    public static Task<ProgramProcess> StartApiAsync(params (string Key, string Value)[] settings)
    {
        var port = FreePort.Next();
        return StartReadyAsync("PushApi", 0, port, [WaitsForRedis, BearsStalls, .. settings], ["--urls", $"http://127.0.0.1:{port}"]);
    }

    /// <summary>Starts a program and waits until it says that it is ready.</summary>
    private static async Task<ProgramProcess> StartReadyAsync(string program, int nodePort, int apiPort, (string Key, string Value)[] settings, string[] arguments, int? descriptors = null)
    {
        var management = FreePort.Next();
        var process = Start(program, [("Management:Port", $"{management}"), .. settings], arguments, nodePort, apiPort, management, descriptors);
        await process.BecomesReadyAsync();
        return process;
    }

    /// <summary>Starts a program and waits for nothing.</summary>
    public static ProgramProcess Start(
        string program, (string Key, string Value)[] settings, string[] arguments, int nodePort = 0, int apiPort = 0, int managementPort = 0, int? descriptors = null)
    {
        var assembly = Repository.Built($"src/{program}");
        // prlimit becomes the program itself: the process id stays.
        var info = new ProcessStartInfo(descriptors is null ? "dotnet" : "prlimit")
        {
            RedirectStandardInput = true,
            WorkingDirectory = Path.GetDirectoryName(assembly),
        };
        if (descriptors is { } limit)
        {
            info.ArgumentList.Add($"--nofile={limit}");
            info.ArgumentList.Add("dotnet");
        }

        info.ArgumentList.Add(assembly);
        foreach (var argument in arguments)
            info.ArgumentList.Add(argument);
        foreach (var inherited in info.Environment.Keys.Where(key => OwnSettings.Any(prefix => key.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))).ToList())
            info.Environment.Remove(inherited);
        foreach (var (key, value) in settings)
            info.Environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;

        var started = new ProgramProcess(new Process { StartInfo = info }) { Name = program, NodePort = nodePort, ApiPort = apiPort, ManagementPort = managementPort };
        started.Run();
        return started;
    }

    /// <summary>Waits until /readyz answers 200.</summary>
    public Task BecomesReadyAsync() => Eventually.HoldsAsync(
        async () =>
        {
            if (HasExited)
                throw new InvalidOperationException($"{Name} ended with exit code {_process.ExitCode} instead of becoming ready. {Log}");
            return await Http.StatusAsync(ManagementPort, "/readyz") == HttpStatusCode.OK;
        },
        $"{Name} is ready",
        () => Log);

    /// <summary>Waits until /readyz answers 503.</summary>
    public Task BecomesUnreadyAsync() => Eventually.HoldsAsync(async () => await Http.StatusAsync(ManagementPort, "/readyz") == HttpStatusCode.ServiceUnavailable, $"{Name} is not ready", () => Log);

    /// <summary>Waits until it has written a text: what it does is seen elsewhere before its log is.</summary>
    public Task WroteAsync(string text) => Eventually.HoldsAsync(() => Log.Contains(text, StringComparison.Ordinal), $"{Name} writes '{text}'", () => Log);

    public void Signal(int signal) => Signals.Send(Pid, signal);

    /// <summary>Waits for the process to end.</summary>
    /// <returns>Its exit code, once both streams are read to their ends.</returns>
    public async Task<int> ExitAsync()
    {
        await Eventually.CompletesAsync(_process.WaitForExitAsync(TestContext.Current.CancellationToken), $"the end of {Name}", () => Log);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
    }

    private void Run()
    {
        // Test hosts that end in the middle of a test leave no program behind.
        AppDomain.CurrentDomain.ProcessExit += (_, _) => KillLeftOver();
        ProgramOutput.Start(_process, _output, _errors);
    }

    private void KillLeftOver()
    {
        try
        {
            _process.Kill();
        }
        catch (InvalidOperationException)
        {
            // Expected: it ended, and its object is disposed.
        }
    }
}
