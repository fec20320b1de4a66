using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
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
    /// <param name="services">Where to.</param>
    /// <param name="configuration">Reads <c>Backplane</c>, and <c>ConnectionStrings:Redis</c> (StackExchange.Redis form; empty counts as unset).</param>
    /// <param name="name">What this process calls itself on the canary channel.</param>
    /// <param name="defaultRedis">Where Redis is when neither names a server; null for the memory backplane.</param>
    /// <exception cref="SettingsException">A setting is wrong, or there is another key under <c>ConnectionStrings</c>.</exception>
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
