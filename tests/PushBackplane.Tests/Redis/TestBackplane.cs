using Microsoft.Extensions.DependencyInjection;
using PushBackplane.Redis;
using PushBackplane.Telemetry;
using RedisPush.Testing;

namespace PushBackplane.Tests.Redis;

/// <summary>A Redis backplane with its own metrics and log.</summary>
internal sealed class TestBackplane : IAsyncDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().AddSingleton<BackplaneMetrics>().BuildServiceProvider();
    private int _resuming;

    private TestBackplane(string connectionString, string name, BackplaneSettings settings)
    {
        Bus = new RedisBackplane(RedisOptions.Parse(connectionString), settings, new PushChannels(settings.ChannelPrefix), name, TimeProvider.System,
            _services.GetRequiredService<BackplaneMetrics>(), Log);
        Bus.Resuming += () => Interlocked.Increment(ref _resuming);
    }

    public RedisBackplane Bus { get; }

    public LogRecorder<RedisBackplane> Log { get; } = new();

    public int ResumingCount => Volatile.Read(ref _resuming);

    public IServiceProvider Services => _services;

    /// <summary>Starts one, whether Redis is there or not.</summary>
    public static async Task<TestBackplane> StartAsync(string connectionString, string name = "test", BackplaneSettings? settings = null)
    {
        var backplane = new TestBackplane(connectionString, name, settings ?? new BackplaneSettings());
        await backplane.Bus.StartAsync(CancellationToken.None);
        return backplane;
    }

    /// <summary>Starts one and waits until it is up.</summary>
    public static async Task<TestBackplane> UpAsync(RedisServer server, string name = "test", BackplaneSettings? settings = null)
    {
        var backplane = await StartAsync(server.EndPoint, name, settings);
        await backplane.IsUpAsync();
        return backplane;
    }

    public Task IsUpAsync() => Eventually.HoldsAsync(() => Bus.IsUp, "the backplane is up");

    public async ValueTask DisposeAsync()
    {
        await Bus.StopAsync(CancellationToken.None);
        Bus.Dispose();
        await _services.DisposeAsync();
    }
}
