using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using PushHosting.Settings;

namespace PushHosting.Network;

/// <summary>Takes clients' addresses from the proxies of <c>Proxies:Trusted</c>.</summary>
public static class TrustedProxies
{
    /// <summary>More proxies in a row than anyone has. The framework reads the last this many addresses of a header.</summary>
    private const int MostHops = 10;

    /// <summary>
    /// Makes <c>HttpContext.Connection.RemoteIpAddress</c> the client's address behind trusted proxies: the last address in
    /// <c>X-Forwarded-For</c> that is not itself a trusted proxy's. Addresses that were believed leave the header. Adds nothing if no proxy
    /// is trusted. For a program; another application uses <c>UseForwardedHeaders</c> as it likes.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="configuration">Provides <c>Proxies</c>.</param>
    /// <exception cref="SettingsException">A setting is wrong.</exception>
    public static IServiceCollection AddTrustedProxies(this IServiceCollection services, IConfiguration configuration)
    {
        // It makes the framework believe the header of every sender.
        if (bool.TryParse(configuration["ForwardedHeaders_Enabled"], out var everyone) && everyone)
        {
            throw new SettingsException(
                $"ASPNETCORE_FORWARDEDHEADERS_ENABLED is 'true', which lets anyone choose an address; use {ProxySettings.Section}:{nameof(ProxySettings.Trusted)}, "
                + "which accepts the addresses of your proxies.");
        }

        var settings = services.ReadSettings<ProxySettings>(configuration, ProxySettings.Section);
        services.AddSingleton(new ForwardedAddress(settings.Networks));
        return settings.Trusted.Length == 0 ? services : services.AddSingleton<IStartupFilter>(new Filter(Options(settings)));
    }

    private static ForwardedHeadersOptions Options(ProxySettings settings)
    {
        var options = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor, ForwardLimit = MostHops };
        // The framework trusts loopback by default.
        options.KnownProxies.Clear();
        options.KnownIPNetworks.Clear();
        foreach (var network in settings.Networks)
            options.KnownIPNetworks.Add(network);
        return options;
    }

    /// <summary>Runs before everything that the program serves.</summary>
    private sealed class Filter(ForwardedHeadersOptions options) : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.UseForwardedHeaders(options);
            next(app);
        };
    }
}
