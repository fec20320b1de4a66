using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using PushBackplane.Redis;
using PushBackplane.Servers;
using PushBackplane.Telemetry;
using TestSupport.Processes;

namespace PushBackplane.Tests.Servers;

/// <summary>A process's backplane over several servers, with its own metrics.</summary>
internal sealed class TestSpread : IAsyncDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().AddSingleton<BackplaneMetrics>().BuildServiceProvider();
    private readonly RedisBackplane[] _loops;

    private TestSpread(IEnumerable<RedisServer> servers, string name)
    {
        var channels = new PushChannels("push:");
        _loops = [.. servers.Select(server => new RedisBackplane(
            RedisOptions.Parse("a test", server.EndPoint), new BackplaneSettings(), channels, name, TimeProvider.System, _services.GetRequiredService<BackplaneMetrics>(), new LogRecorder<RedisBackplane>()))];
        Bus = new SpreadBackplane(_loops, channels);
    }

    public SpreadBackplane Bus { get; }

    public static async Task<TestSpread> StartAsync(IEnumerable<RedisServer> servers, string name = "test")
    {
        var spread = new TestSpread(servers, name);
        foreach (var loop in spread._loops)
            await loop.StartAsync(CancellationToken.None);
        return spread;
    }

    /// <summary>Starts one and waits until every server is up.</summary>
    public static async Task<TestSpread> UpAsync(IReadOnlyList<RedisServer> servers, string name = "test")
    {
        var spread = await StartAsync(servers, name);
        await spread.IsUpAsync();
        return spread;
    }

    public Task IsUpAsync() => Eventually.HoldsAsync(() => Bus.NotReadyBecause is null && Bus.Detail is null, "all servers are up");

    /// <summary>The channel of some room that is at home on this server.</summary>
    public static string ChannelAt(int server, int servers, int nth = 0) => Enumerable.Range(0, int.MaxValue)
        .Select(i => string.Create(CultureInfo.InvariantCulture, $"room-{i}"))
        .Where(room => RoomPlacement.Of(room, servers) == server)
        .Skip(nth).Select(room => $"push:room:{room}").First();

    public async ValueTask DisposeAsync()
    {
        foreach (var loop in _loops)
        {
            await loop.StopAsync(CancellationToken.None);
            loop.Dispose();
        }

        await _services.DisposeAsync();
    }
}
