using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

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
    public static IServiceCollection AddBackplane(this IServiceCollection services, IConfiguration configuration, string name, string? defaultRedis) => throw new NotImplementedException();
}
