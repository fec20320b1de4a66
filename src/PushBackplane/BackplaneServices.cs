using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PushBackplane.Memory;
using PushBackplane.Redis;
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
    /// Provides <c>Backplane</c> and <c>ConnectionStrings:Redis</c> (StackExchange.Redis form; empty counts as unset).
    /// </param>
    /// <param name="name">The name of this process on the canary channel.</param>
    /// <param name="defaultRedis">The Redis server to use when the configuration names none; null for the memory backplane.</param>
    /// <exception cref="SettingsException">A setting is wrong, or <c>ConnectionStrings</c> has another key.</exception>
    public static IServiceCollection AddBackplane(this IServiceCollection services, IConfiguration configuration, string name, string? defaultRedis)
    {
        if (services.Any(service => service.ServiceType == typeof(IBackplane)))
            return services;

        var settings = StrictSettings.Read<BackplaneSettings>(configuration, "Backplane");
        services.AddSingleton(settings);
        services.AddSingleton(new PushChannels(settings.ChannelPrefix));
        services.TryAddSingleton(TimeProvider.System);
        services.AddMetrics();
        services.AddSingleton<BackplaneMetrics>();
        services.AddExportedMeter(BackplaneMetrics.MeterName);
        services.AddHostedService<BackplaneAnnouncement>();

        var connections = StrictSettings.Read<ConnectionStringSettings>(configuration, ConnectionStringSettings.Section);
        var servers = RedisServerList.Read(connections.Redis, settings.Servers, defaultRedis);
        if (servers.Count == 0)
            return services.AddSingleton<IBackplane, MemoryBackplane>();

        services.AddSingleton(provider => new RedisBackplane(
            [.. servers.Select(options => ActivatorUtilities.CreateInstance<RedisServer>(provider, options, name))],
            provider.GetRequiredService<PushChannels>()));
        services.AddSingleton<IBackplane>(provider => provider.GetRequiredService<RedisBackplane>());
        services.AddSingleton<IReadiness>(provider => provider.GetRequiredService<RedisBackplane>());
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
