using TestSupport.Processes;

namespace PushFarm.FunctionalTests.Harness;

/// <summary>Redis, an API and two nodes; default settings but for a short linger, which a test waits for.</summary>
public sealed class RedisFarmFixture : IAsyncLifetime
{
    private string? _skipped;
    private RedisProcess? _redis;
    private ProgramProcess? _api;
    private ProgramProcess? _first;
    private ProgramProcess? _second;

    internal RedisProcess Redis => Started(_redis);

    internal ProgramProcess Api => Started(_api);

    internal ProgramProcess First => Started(_first);

    internal ProgramProcess Second => Started(_second);

    public async ValueTask InitializeAsync() => _skipped = await InstalledProgram.SkippedAsync(StartAsync);

    public async ValueTask DisposeAsync()
    {
        foreach (var started in (IAsyncDisposable?[])[_second, _first, _api, _redis])
        {
            if (started is not null)
                await started.DisposeAsync();
        }
    }

    private async Task StartAsync()
    {
        _redis = await RedisProcess.StartNewAsync();
        _api = await ProgramProcess.StartApiAsync(_redis);
        _first = await ProgramProcess.StartNodeAsync(_redis, ("Push:Subscription:Linger", "00:00:01"));
        _second = await ProgramProcess.StartNodeAsync(_redis, ("Push:Subscription:Linger", "00:00:01"));
    }

    private T Started<T>(T? part) where T : class
    {
        if (_skipped is not null)
            Assert.Skip(_skipped);
        return part!;
    }
}
