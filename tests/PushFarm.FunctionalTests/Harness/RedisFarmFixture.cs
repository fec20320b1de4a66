using TestSupport.Processes;







namespace PushFarm.FunctionalTests.Harness;

/// <summary>Redis, an API and two nodes; default settings but for a short linger, which a test waits for.</summary>
public sealed class RedisFarmFixture : IAsyncLifetime
{
    private RedisProcess? _redis;
    private ProgramProcess? _api;
    private ProgramProcess? _first;
    private ProgramProcess? _second;

    internal RedisProcess Redis => _redis!;

    internal ProgramProcess Api => _api!;

    internal ProgramProcess First => _first!;

    internal ProgramProcess Second => _second!;

    public async ValueTask InitializeAsync()
    {
        _redis = await RedisProcess.StartNewAsync();
        _api = await ProgramProcess.StartApiAsync(_redis);
        _first = await ProgramProcess.StartNodeAsync(_redis, ("Push:Subscription:Linger", "00:00:01"));
        _second = await ProgramProcess.StartNodeAsync(_redis, ("Push:Subscription:Linger", "00:00:01"));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var started in (IAsyncDisposable?[])[_second, _first, _api, _redis])
        {
            if (started is not null)
                await started.DisposeAsync();
        }
    }
}
