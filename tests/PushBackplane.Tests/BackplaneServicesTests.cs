using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PushHosting.Management;
using PushHosting.Settings;
using TestSupport.Processes;

namespace PushBackplane.Tests;

public sealed class BackplaneServicesTests
{
    [Fact]
    public async Task Without_a_connection_string_the_default_decides()
    {
        using var memory = Build(defaultRedis: null, ("ConnectionStrings:Redis", "  "), ("Backplane:ChannelPrefix", "live:"));
        await memory.StartAsync(TestContext.Current.CancellationToken);
        Assert.Equal("memory", memory.Services.GetRequiredService<IBackplane>().Description);
        Assert.Equal("live:all", memory.Services.GetRequiredService<PushChannels>().Of(Topic.All));
        Assert.Empty(memory.Services.GetServices<IReadiness>());
        Assert.Contains("The backplane is memory.", Logged(memory), StringComparison.Ordinal);

        using var redis = Build(defaultRedis: "localhost:6379", ("ConnectionStrings:Redis", ""));
        Assert.Equal("Redis at localhost:6379", redis.Services.GetRequiredService<IBackplane>().Description);
    }

    [Fact]
    public async Task A_connection_string_means_Redis_started_and_stopped_with_the_host()
    {
        await using var server = await RedisProcess.StartNewAsync();
        using var host = Build(defaultRedis: null, ("ConnectionStrings:Redis", server.EndPoint));
        await host.StartAsync(TestContext.Current.CancellationToken);
        var backplane = host.Services.GetRequiredService<IBackplane>();
        var readiness = host.Services.GetRequiredService<IReadiness>();

        await Eventually.HoldsAsync(() => backplane.Control.Home.IsUp, "up");
        Assert.Null(readiness.NotReadyBecause);
        Assert.Contains($"The backplane is Redis at {server.EndPoint}.", Logged(host), StringComparison.Ordinal);
        Assert.Equal("1", await server.CliAsync("PUBLISH", "push:canary:me", "x"));

        await host.StopAsync(TestContext.Current.CancellationToken);
        Assert.False(backplane.Control.Home.IsUp);
        await Eventually.HoldsAsync(async () => await server.CliAsync("PUBLISH", "push:canary:me", "x") == "0", "the connection is closed");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_list_means_all_its_servers_started_and_stopped_with_the_host(int count)
    {
        var servers = new RedisProcess[count];
        for (var i = 0; i < count; i++)
            servers[i] = await RedisProcess.StartNewAsync();
        using var host = Build(defaultRedis: null, [.. servers.Select((server, i) => ($"Backplane:Servers:{i}", server.EndPoint))]);
        await host.StartAsync(TestContext.Current.CancellationToken);
        var readiness = Assert.Single(host.Services.GetServices<IReadiness>());
        await Eventually.HoldsAsync(() => readiness.NotReadyBecause is null && readiness.Detail is null, "ready");
        Assert.Contains(count == 1 ? $"The backplane is Redis at {servers[0].EndPoint}." : $"The backplane is 3 Redis servers: {string.Join("; ", servers.Select(server => server.EndPoint))}.", Logged(host), StringComparison.Ordinal);
        foreach (var server in servers)
            Assert.Equal("1", await server.CliAsync("PUBLISH", "push:canary:me", "x"));

        await host.StopAsync(TestContext.Current.CancellationToken);
        foreach (var server in servers)
        {
            await Eventually.HoldsAsync(async () => await server.CliAsync("PUBLISH", "push:canary:me", "x") == "0", "the connection is closed");
            await server.DisposeAsync();
        }
    }

    [Fact]
    public void Adding_it_twice_adds_it_once()
    {
        IConfiguration configuration = new ConfigurationBuilder().Build();
        var services = new ServiceCollection();
        services.AddBackplane(configuration, "me", defaultRedis: null);
        var once = services.Count;
        services.AddBackplane(configuration, "me", defaultRedis: "localhost:6379");
        Assert.Equal(once, services.Count);
    }

    [Theory]
    [InlineData("Backplane:PublishTimeout", "banana")]
    [InlineData("Backplane:PublishTimeout", "1")]
    [InlineData("Backplane:PublishTimeout", "00:00:01.901")]
    [InlineData("Backplane:PublishTimeout", "00:00:10")]
    [InlineData("ConnectionStrings:Rediss", "localhost:6379")]
    [InlineData("ConnectionStrings:Redis:0", "localhost:6379")]
    [InlineData("Backplane:CanaryTimeout", "00:00:00")]
    [InlineData("Backplane:Gather", "-00:00:00.001")]
    [InlineData("Backplane:Gather", "00:00:01.001")]
    [InlineData("Backplane:Gather", "25")]
    [InlineData("Backplane:ChannelPrefix", "a b")]
    [InlineData("Backplane:Prefix", "push:")]
    [InlineData("ConnectionStrings:Redis", "localhost:6379,what=is-it")]
    [InlineData("Backplane:Servers", "localhost:6379")]
    [InlineData("Backplane:Servers:0", "")]
    [InlineData("Backplane:Servers:0", "localhost:port")]
    [InlineData("Backplane:Servers:first", "localhost:6379")]
    public void A_wrong_setting_is_refused_by_its_key(string key, string value)
    {
        var refused = Assert.Throws<SettingsException>(() => Build(defaultRedis: null, (key, value)));
        Assert.Contains(key, refused.Message, StringComparison.Ordinal);
        Assert.EndsWith(".", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("00:00:00")]
    [InlineData("00:00:01")]
    public void A_gather_time_from_zero_to_a_second_is_accepted(string value)
    {
        using var host = Build(defaultRedis: null, ("Backplane:Gather", value));
        Assert.Equal(TimeSpan.Parse(value, CultureInfo.InvariantCulture), host.Services.GetRequiredService<BackplaneSettings>().Gather);
    }

    /// <summary>More than a client can ask for would only take memory.</summary>
    [Fact]
    public void A_node_remembers_at_most_what_a_client_can_ask_for()
    {
        using var host = Build(defaultRedis: null, ("Rooms:0:Pattern", "r"), ("Rooms:0:Recent", "1000"));
        Assert.True(RoomId.TryParse("r", out var room, out _));
        Assert.Equal(1000, host.Services.GetRequiredService<RoomPolicies>().Of(room).Recent);
        var refused = Assert.Throws<SettingsException>(() => Build(defaultRedis: null, ("Rooms:0:Pattern", "r"), ("Rooms:0:Recent", "1001")));
        Assert.Equal("Rooms:0:Recent is '1001'; it accepts a whole number from 0 to 1000, for example 0.", refused.Message);
    }

    private static IHost Build(string? defaultRedis, params (string Key, string Value)[] settings)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        // A busy machine is no outage, unless the test says so.
        builder.Configuration.AddInMemoryCollection([KeyValuePair.Create("Backplane:CanaryTimeout", (string?)"00:00:30")]);
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)));
        builder.Services.AddSingleton(typeof(ILogger<>), typeof(LogRecorder<>));
        builder.Services.AddBackplane(builder.Configuration, "me", defaultRedis);
        return builder.Build();
    }

    private static string Logged(IHost host) => ((LogRecorder<BackplaneAnnouncement>)host.Services.GetRequiredService<ILogger<BackplaneAnnouncement>>()).Text;
}
