using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using PushBackplane.Redis;
using PushBackplane.Telemetry;
using TestSupport.Processes;

namespace PushBackplane.Tests.Redis;

/// <summary>
/// The Redis backplane of one process, with its own metrics and log. A member that takes a channel's name uses the first server as its
/// home.
/// </summary>
internal sealed class TestBackplane : IAsyncDisposable
{
    /// <summary>Stands for a loss notice among the numbers of <see cref="AssertNoSilentLoss"/>.</summary>
    public const int Loss = -1;

    /// <summary>For time-outs: a starved test machine is no outage. A test that stalls Redis sets shorter ones, or those of the product.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().AddSingleton<BackplaneMetrics>().BuildServiceProvider();
    private readonly ConcurrentDictionary<string, int> _losses = new();

    private TestBackplane(IEnumerable<string> connectionStrings, string name, BackplaneSettings settings)
    {
        var channels = new PushChannels(settings.ChannelPrefix);
        var metrics = _services.GetRequiredService<BackplaneMetrics>();
        Backplane = new RedisBackplane(
            [.. connectionStrings.Select(text => new RedisServer(RedisOptions.Parse("ConnectionStrings:Redis", text), settings, channels, name, TimeProvider.System, metrics, Log))],
            channels,
            RoomPolicies.None);
    }

    public RedisBackplane Backplane { get; }

    /// <summary>The first server; most tests have only one.</summary>
    public RedisServer Server => Backplane.Servers[0];

    public LogRecorder<RedisServer> Log { get; } = new();

    public IServiceProvider Services => _services;

    /// <summary>Starts one, even while Redis is unavailable.</summary>
    public static Task<TestBackplane> StartAsync(string connectionString, string name = "test", BackplaneSettings? settings = null) => StartAsync([connectionString], name, settings);

    /// <inheritdoc cref="StartAsync(string, string, BackplaneSettings?)"/>
    public static async Task<TestBackplane> StartAsync(IEnumerable<string> connectionStrings, string name = "test", BackplaneSettings? settings = null)
    {
        var backplane = new TestBackplane(connectionStrings, name, settings ?? new BackplaneSettings { PublishTimeout = Patience, CanaryTimeout = Patience });
        foreach (var server in backplane.Backplane.Servers)
            await server.StartAsync(CancellationToken.None);
        return backplane;
    }

    /// <summary>Starts one and waits until it is up.</summary>
    public static Task<TestBackplane> UpAsync(RedisProcess server, string name = "test", BackplaneSettings? settings = null) => UpAsync([server], name, settings);

    /// <summary>Starts one and waits until every server is up.</summary>
    public static async Task<TestBackplane> UpAsync(IEnumerable<RedisProcess> servers, string name = "test", BackplaneSettings? settings = null)
    {
        var backplane = await StartAsync(servers.Select(server => server.EndPoint), name, settings);
        await backplane.IsUpAsync();
        return backplane;
    }

    /// <summary>The channel of some room whose home is this server.</summary>
    public BackplaneChannel RoomAt(int server, int nth = 0) => Enumerable.Range(0, int.MaxValue)
        .Select(i => RoomId.TryParse($"room-{i}", out var room, out _) ? Backplane.Channel(Topic.Room(room)) : default)
        .Where(channel => channel.Home == Backplane.Servers[server])
        .Skip(nth).First();

    public Task<int?> PublishAsync(string channel, ReadOnlyMemory<byte> payload) => Backplane.PublishAsync(Channel(channel), payload);

    /// <summary>Subscribes, and counts losses.</summary>
    public Task SubscribeAsync(string channel, Action<ReadOnlyMemory<byte>> onPayload, Action? onLoss = null) => Backplane.SubscribeAsync(Channel(channel), onPayload, _ =>
    {
        _losses.AddOrUpdate(channel, 1, (_, losses) => losses + 1);
        onLoss?.Invoke();
    });

    public Task UnsubscribeAsync(string channel) => Backplane.UnsubscribeAsync(Channel(channel));

    /// <summary>The number of loss notices of a channel.</summary>
    public int Losses(string channel) => _losses.GetValueOrDefault(channel);

    /// <summary>Waits until every server is up.</summary>
    public Task IsUpAsync() => Eventually.HoldsAsync(() => Backplane.Servers.All(server => server.IsUp), "all servers are up");

    public async ValueTask DisposeAsync()
    {
        foreach (var server in Backplane.Servers)
        {
            await server.StopAsync(CancellationToken.None);
            server.Dispose();
        }

        await _services.DisposeAsync();
    }

    /// <summary>Some numbers may be lost, but none without a loss notice before later ones, and none comes twice or out of order.</summary>
    /// <param name="received">Ascending numbers as received, and <see cref="Loss"/> for each notice.</param>
    /// <param name="confirmed">The numbers whose publish was confirmed.</param>
    public static void AssertNoSilentLoss(IReadOnlyCollection<int> received, IEnumerable<int> confirmed)
    {
        var numbers = received.Where(value => value != Loss).ToArray();
        Assert.Equal(numbers.Order().Distinct(), numbers);
        var lost = confirmed.Except(numbers).ToArray();
        var (last, isAnnounced) = (-1, false);
        foreach (var value in received)
        {
            if (value != Loss && !isAnnounced)
                Assert.False(lost.Any(number => number > last && number < value), $"Confirmed numbers between {last} and {value} are lost without a notice.");
            (last, isAnnounced) = value != Loss ? (value, false) : (last, true);
        }
    }

    private BackplaneChannel Channel(string name) => new(name, Server);
}
