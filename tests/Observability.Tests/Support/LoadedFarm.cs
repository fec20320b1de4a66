using System.Diagnostics;
using Observability.Tests.Support;
using TestSupport.Processes;

[assembly: AssemblyFixture(typeof(LoadedFarm))]

namespace Observability.Tests.Support;

/// <summary>Two nodes, an API, a Redis and an nginx under a steady load, watched by a Prometheus. Shared by the tests that only look.</summary>
public sealed class LoadedFarm : IAsyncLifetime
{
    private readonly ProgramOutput _loadOutput = new();
    private readonly List<IAsyncDisposable> _parts = [];
    private Process? _load;
    private string? _skipped;
    private IReadOnlyList<ProgramProcess>? _programs;
    private PrometheusServer? _prometheus;
    private Exporters? _exporters;

    internal PrometheusServer Prometheus => Started(_prometheus);

    internal Exporters Exporters => Started(_exporters);

    internal IReadOnlyList<ProgramProcess> Programs => Started(_programs);

    internal string Log => $"{Prometheus.Log}\n{_loadOutput}";

    public async ValueTask InitializeAsync() => _skipped = await InstalledProgram.SkippedAsync(StartAsync);

    private async Task StartAsync()
    {
        var redis = Own(await RedisProcess.StartNewAsync());
        var first = Own(await ProgramProcess.StartNodeAsync(redis));
        var second = Own(await ProgramProcess.StartNodeAsync(redis));
        var api = Own(await ProgramProcess.StartApiAsync(redis));
        _programs = [first, second, api];
        _exporters = Own(await Support.Exporters.StartAsync(redis));
        _prometheus = Own(await PrometheusServer.StartAsync(
            rules => rules, [("push-node", [first.ManagementPort, second.ManagementPort]), ("push-api", [api.ManagementPort]), .. _exporters.Targets]));
        // As long as the tests may take; killed before.
        _load = BuiltProgram.Start(
            "src/PushLoad",
            [],
            [
                first.WebSocketUrl, second.WebSocketUrl, "--publish", api.ApiUrl,
                "--connections", "100", "--rooms", "4", "--rate", "50", "--churn", "2", "--reconnects", "1", "--duration", "600", "--deflate",
            ],
            _loadOutput);
    }

    public async ValueTask DisposeAsync()
    {
        _load?.Kill(entireProcessTree: true);
        _load?.Dispose();
        foreach (var part in Enumerable.Reverse(_parts))
            await part.DisposeAsync();
    }

    private T Own<T>(T part) where T : IAsyncDisposable
    {
        _parts.Add(part);
        return part;
    }

    private T Started<T>(T? part) where T : class
    {
        if (_skipped is not null)
            Assert.Skip(_skipped);
        return part!;
    }
}
