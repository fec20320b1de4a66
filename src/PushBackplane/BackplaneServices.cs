using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PushBackplane.Counts;
using PushBackplane.History;
using PushBackplane.Memory;
using PushBackplane.Redis;
using PushBackplane.Restrictions;
using PushBackplane.Telemetry;
using PushHosting;
using PushHosting.Management;
using PushHosting.Settings;

namespace PushBackplane;

/// <summary>Registers the backplane.</summary>
public static class BackplaneServices
{
    /// <summary>
    /// Adds the process's one <see cref="IBackplane"/>; it starts and stops with the host.
    /// Calling it twice adds it once.
    /// </summary>
    /// <param name="services">The collection to add to.</param>
    /// <param name="configuration">
    /// Provides <c>Backplane</c>, <c>Rooms</c> and <c>ConnectionStrings:Redis</c> (StackExchange.Redis form; empty counts as unset).
    /// </param>
    /// <param name="name">The name of this process on the canary channel.</param>
    /// <param name="defaultRedis">The Redis server to use when the configuration names none; null for the memory backplane.</param>
    /// <param name="ownsConnectionStrings">
    /// Whether another key under <c>ConnectionStrings</c> is an error, as in a program that has no other database.
    /// </param>
    /// <exception cref="SettingsException">A setting is wrong.</exception>
    public static IServiceCollection AddBackplane(
        this IServiceCollection services, IConfiguration configuration, string name, string? defaultRedis, bool ownsConnectionStrings = true)
    {
        if (services.Any(service => service.ServiceType == typeof(IBackplane)))
            return services;

        var settings = services.ReadSettings<BackplaneSettings>(configuration, "Backplane");
        services.AddSingleton(settings);
        services.AddSingleton(new PushChannels(settings.ChannelPrefix));
        services.AddSingleton(new RoomPolicies(services.ReadSettingsList<RoomPolicySettings>(configuration, RoomPolicies.Section)));
        services.TryAddSingleton(TimeProvider.System);
        services.AddMetrics();
        services.AddSingleton<BackplaneMetrics>();
        services.AddExportedMeter(BackplaneMetrics.MeterName).AddPlots(BackplanePlots.All).AddProcessName(name);
        services.AddHostedService<BackplaneAnnouncement>();

        var redis = ownsConnectionStrings
            ? services.ReadSettings<ConnectionStringSettings>(configuration, ConnectionStringSettings.Section).Redis
            : configuration.GetConnectionString(nameof(ConnectionStringSettings.Redis));
        var servers = RedisServerList.Read(redis, settings.Servers, defaultRedis);
        if (defaultRedis is not null && settings.Servers.Length == 0)
            services.ShowDefault($"{ConnectionStringSettings.Section}:{nameof(ConnectionStringSettings.Redis)}", defaultRedis);
        if (servers.Count == 0)
        {
            services.AddSingleton<MemoryBackplane>().AddSingleton<IBackplane>(provider => provider.GetRequiredService<MemoryBackplane>());
            services.AddSingleton<IRoomHistory, MemoryHistory>();
            return services.AddSingleton<IRestrictions, MemoryRestrictions>().AddSingleton<IFarmCounts, MemoryFarmCounts>();
        }

        services.AddSingleton(provider => new RedisBackplane(
            [.. servers.Select(options => ActivatorUtilities.CreateInstance<RedisServer>(provider, options, name))],
            provider.GetRequiredService<PushChannels>(),
            provider.GetRequiredService<RoomPolicies>()));
        services.AddSingleton<RedisHistory>().AddSingleton<IRoomHistory>(provider => provider.GetRequiredService<RedisHistory>());
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<RedisHistory>());
        services.AddSingleton<IBackplane>(provider => provider.GetRequiredService<RedisBackplane>());
        services.AddSingleton<IRestrictions, RedisRestrictions>();
        services.AddSingleton<IReadiness>(provider => provider.GetRequiredService<RedisBackplane>());
        services.AddSingleton<IFarmCounts>(provider => new RedisFarmCounts(
            provider.GetRequiredService<RedisBackplane>().Servers[0], provider.GetRequiredService<PushChannels>(), IFarmCounts.Lease));
        for (var i = 0; i < servers.Count; i++)
        {
            var index = i;
            services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<RedisBackplane>().Servers[index]);
        }

        return services;
    }
}

/// <summary>Logs at start which backplane is in use.</summary>
internal sealed class BackplaneAnnouncement(IBackplane backplane, ILogger<BackplaneAnnouncement> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        logger.BackplaneInUse(backplane.Description);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
