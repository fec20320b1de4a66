using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using PushBackplane.Redis;
using PushBackplane.Telemetry;
using TestSupport.Processes;

namespace PushBackplane.Tests.Redis;

/// <summary>A Redis backplane with its own metrics and log.</summary>
internal sealed class TestBackplane : IAsyncDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().AddSingleton<BackplaneMetrics>().BuildServiceProvider();
    private readonly ConcurrentDictionary<string, int> _losses = new();

    private TestBackplane(string connectionString, string name, BackplaneSettings settings)
    {
        Bus = new RedisBackplane(RedisOptions.Parse("ConnectionStrings:Redis", connectionString), settings, new PushChannels(settings.ChannelPrefix), name, TimeProvider.System,
            _services.GetRequiredService<BackplaneMetrics>(), Log);
    }

    public RedisBackplane Bus { get; }

    public LogRecorder<RedisBackplane> Log { get; } = new();

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

    /// <summary>Subscribes, and counts losses.</summary>
    public Task SubscribeAsync(string channel, Action<ReadOnlyMemory<byte>> onPayload, Action? onLoss = null) => Bus.SubscribeAsync(channel, onPayload, () =>
    {
        _losses.AddOrUpdate(channel, 1, (_, losses) => losses + 1);
        onLoss?.Invoke();
    });

    /// <summary>How often a channel was told of a loss.</summary>
    public int Losses(string channel) => _losses.GetValueOrDefault(channel);

    public Task IsUpAsync() => Eventually.HoldsAsync(() => Bus.IsUp, "the backplane is up");

    public async ValueTask DisposeAsync()
    {
        await Bus.StopAsync(CancellationToken.None);
        Bus.Dispose();
        await _services.DisposeAsync();
    }
}
