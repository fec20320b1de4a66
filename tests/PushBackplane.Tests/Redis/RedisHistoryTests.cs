using TestSupport.Processes;

namespace PushBackplane.Tests.Redis;

/// <summary>A Redis server for each test, and a process that keeps histories on it.</summary>
public abstract class RedisHistoryTests : IAsyncLifetime
{
    private TestHistory _api = null!;

    protected RedisProcess Server { get; private set; } = null!;

    private protected TestHistory Api => _api;

    public async ValueTask InitializeAsync()
    {
        Server = await RedisProcess.StartNewAsync();
        _api = await TestHistory.UpAsync(Server.EndPoint);
    }

    public async ValueTask DisposeAsync()
    {
        await _api.DisposeAsync();
        await Server.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}
