using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using PushBackplane.Memory;
using PushBackplane.Redis;
using PushBackplane.Telemetry;
using PushHosting;

namespace PushBackplane;

/// <summary>Registers the backplane.</summary>
public static class BackplaneServices
{
    /// <summary>
    /// Adds the one <see cref="IBackplane"/> of the process and <see cref="PushChannels"/>; starts and stops with the host.
    /// Calling it twice adds it once.
    /// </summary>
    /// <param name="services">Where to.</param>
    /// <param name="configuration">Reads <c>ConnectionStrings:Redis</c> (StackExchange.Redis form; empty counts as unset) and <c>Backplane</c>.</param>
    /// <param name="name">What this process calls itself on the canary channel.</param>
    /// <param name="defaultRedis">Where Redis is when no connection string is set; null for the memory backplane.</param>
    /// <exception cref="SettingsException">A setting is wrong.</exception>
    public static IServiceCollection AddBackplane(this IServiceCollection services, IConfiguration configuration, string name, string? defaultRedis)
    {
        if (services.Any(service => service.ServiceType == typeof(IBackplane)))
            return services;

        var settings = StrictSettings.Read<BackplaneSettings>(configuration, "Backplane");
        services.AddSingleton(settings);
        services.AddSingleton(new PushChannels(settings.ChannelPrefix));
        services.AddMetrics();
        services.AddSingleton<BackplaneMetrics>();
        services.AddExportedMeter(BackplaneMetrics.MeterName);
        services.AddHostedService<BackplaneAnnouncement>();

        var redis = configuration.GetConnectionString("Redis");
        if (string.IsNullOrWhiteSpace(redis))
            redis = defaultRedis;
        if (redis is null)
            return services.AddSingleton<IBackplane, MemoryBackplane>();

        var options = RedisOptions.Parse(redis);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<RedisBackplane>(provider, options, name));
        services.AddSingleton<IBackplane>(provider => provider.GetRequiredService<RedisBackplane>());
        services.AddSingleton<IReadiness>(provider => provider.GetRequiredService<RedisBackplane>());
        services.AddHostedService(provider => provider.GetRequiredService<RedisBackplane>());
        return services;
    }
}
