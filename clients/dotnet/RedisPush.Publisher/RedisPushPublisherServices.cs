using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace RedisPush.Publisher;

/// <summary>Registers a publisher.</summary>
public static class RedisPushPublisherServices
{
    /// <summary>
    /// Adds an <see cref="IRedisPushPublisher"/> that publishes by the HTTP API, the same as <see cref="HttpPublisher"/>, and a
    /// <see cref="FarmApi"/> with the same options. A wrong option stops a host at its start.
    /// </summary>
    /// <param name="services">The application's.</param>
    /// <param name="configure">Sets at least the URL.</param>
    /// <param name="http">
    /// Gives the client, from an <c>IHttpClientFactory</c> for example; it is kept, so its handler should renew its connections. Null for
    /// connections of the publisher's own.
    /// </param>
    public static IServiceCollection AddRedisPushPublisher(
        this IServiceCollection services, Action<HttpPublisherOptions> configure, Func<IServiceProvider, HttpClient>? http = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.AddOptions<HttpPublisherOptions>().Configure(configure).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<HttpPublisherOptions>, HttpPublisherOptionsCheck>());
        services.TryAddSingleton(provider => new HttpPublisher(provider.GetRequiredService<IOptions<HttpPublisherOptions>>().Value, http?.Invoke(provider)));
        services.TryAddSingleton<IRedisPushPublisher>(provider => provider.GetRequiredService<HttpPublisher>());
        services.TryAddSingleton(provider => new FarmApi(provider.GetRequiredService<IOptions<HttpPublisherOptions>>().Value, http?.Invoke(provider)));
        return services;
    }

    /// <summary>Adds an <see cref="IRedisPushPublisher"/> that publishes straight to Redis.</summary>
    /// <param name="services">The application's.</param>
    /// <param name="servers">Gives the commands of the farm's Redis servers, in the order of its <c>Backplane:Servers</c>.</param>
    /// <param name="options">What is not as usual.</param>
    public static IServiceCollection AddRedisPushRedisPublisher(
        this IServiceCollection services, Func<IServiceProvider, IReadOnlyList<RedisPublishCommand>> servers, RedisPublisherOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(servers);
        services.TryAddSingleton<IRedisPushPublisher>(provider => new RedisPublisher(servers(provider), options));
        return services;
    }
}
