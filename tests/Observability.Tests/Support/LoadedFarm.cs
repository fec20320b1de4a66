using System.Buffers.Text;
using System.Diagnostics;
using System.Security.Cryptography;
using Observability.Tests.Support;
using TestSupport.Processes;

[assembly: AssemblyFixture(typeof(LoadedFarm))]

namespace Observability.Tests.Support;

/// <summary>
/// Two nodes, an API, a Redis and an nginx under a steady load, watched by a Prometheus. One node reads keys of tokens, and a second API, without load, has a
/// publisher's key: what is measured only with such settings. Shared by the tests that only look.
/// </summary>
public sealed class LoadedFarm : IAsyncLifetime
{
    private readonly ProgramOutput _loadOutput = new();
    private readonly List<IAsyncDisposable> _parts = [];
    private Process? _load;
    private string? _keySet;
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
        // A busy machine is no outage.
        var patient = ("Backplane:CanaryTimeout", "00:01:00");
        (string, string)[] node = [("Hooks:Url", "http://127.0.0.1:1"), ("Hooks:Secret", new string('s', 32)), patient];
        var first = Own(await ProgramProcess.StartNodeAsync(redis, node));
        var second = Own(await ProgramProcess.StartNodeAsync(
            redis, [.. node, ("Push:Auth:Mode", "Optional"), ("Push:Auth:Jwks", await KeySetAsync())]));
        var api = Own(await ProgramProcess.StartApiAsync(redis, patient));
        var keyed = Own(await ProgramProcess.StartApiAsync(
            redis, patient, ("PushApi:Keys:0:Name", "shop"), ("PushApi:Keys:0:Sha256", new string('0', 64)), ("PushApi:Keys:0:Rate", "100")));
        _programs = [first, second, api, keyed];
        _exporters = Own(await Support.Exporters.StartAsync(redis));
        _prometheus = Own(await PrometheusServer.StartAsync(
            rules => rules, [("push-node", [first.ManagementPort, second.ManagementPort]), ("push-api", [api.ManagementPort, keyed.ManagementPort]), .. _exporters.Targets]));
        // As long as the tests may take; killed before.
        _load = BuiltProgram.Start(
            "src/PushLoad",
            [],
            [
                first.WebSocketUrl, second.WebSocketUrl, "--publish", api.ApiUrl,
                "--connections", "100", "--rooms", "4", "--rate", "50", "--churn", "2", "--reconnects", "1", "--deflate",
                "--connect-timeout", "600", "--duration", "36000",
            ],
            _loadOutput);
    }

    public async ValueTask DisposeAsync()
    {
        _load?.Kill(entireProcessTree: true);
        _load?.Dispose();
        foreach (var part in Enumerable.Reverse(_parts))
            await part.DisposeAsync();
        if (_keySet is not null)
            File.Delete(_keySet);
    }

    /// <summary>A file with one public key; deleted with the tests.</summary>
    private async Task<string> KeySetAsync()
    {
        using var pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var point = pair.ExportParameters(includePrivateParameters: false).Q;
        _keySet = Path.GetTempFileName();
        await File.WriteAllTextAsync(
            _keySet, $$"""{"keys":[{"kty":"EC","crv":"P-256","kid":"a","x":"{{Base64Url.EncodeToString(point.X)}}","y":"{{Base64Url.EncodeToString(point.Y)}}"}]}""");
        return _keySet;
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
