using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace RedisPush.Client;

/// <summary>Registers the client.</summary>
public static class RedisPushClientServices
{
    /// <summary>
    /// Adds one <see cref="RedisPushClient"/> for the application, which connects when it is first used. A wrong option stops a host at its
    /// start.
    /// </summary>
    public static IServiceCollection AddRedisPushClient(this IServiceCollection services, Action<RedisPushClientOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.AddOptions<RedisPushClientOptions>().Configure(configure).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<RedisPushClientOptions>, RedisPushClientOptionsCheck>());
        services.TryAddSingleton(provider => new RedisPushClient(
            provider.GetRequiredService<IOptions<RedisPushClientOptions>>().Value, provider.GetService<ILogger<RedisPushClient>>()));
        return services;
    }
}
