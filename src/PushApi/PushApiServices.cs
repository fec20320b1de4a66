using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection.Extensions;
using PushApi.Endpoints;
using PushApi.Publishing;
using PushApi.Requests;
using PushApi.Settings;
using PushApi.Telemetry;
using PushHosting;
using PushHosting.Settings;

namespace PushApi;

/// <summary>Registers the publish API.</summary>
public static class PushApiServices
{
    /// <summary>
    /// Adds the services of the routes that <see cref="PushApiRoutes.MapPushApi"/> maps. The host itself adds the backplane
    /// (<see cref="PushBackplane.BackplaneServices.AddBackplane"/>), because it may share it with a node.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="configuration">Provides <c>PushApi</c>.</param>
    /// <exception cref="SettingsException">A key under <c>PushApi</c> is unknown or its value is not accepted.</exception>
    public static IServiceCollection AddPushApi(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton(StrictSettings.Read<PushApiSettings>(configuration, PushApiSettings.Section));
        services.TryAddSingleton(TimeProvider.System);

        // In the order of a request's path.
        services.Configure<KestrelServerOptions>(LimitHeaders);
        services.AddCors().AddSingleton<PageAccess>().AddSingleton<Refusals>();
        services.AddSingleton<PublishEndpoints>();
        services.AddSingleton<PendingBytes>().AddSingleton<BodyReader>();
        services.AddSingleton<ChannelPublisher>();

        services.AddSingleton<PushApiMetrics>().AddExportedMeter(PushApiMetrics.MeterName);

        services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, ApiJson.Default));
        services.AddOpenApi(ApiDescription.Document, ApiDescription.Configure);
        return services;
    }

    /// <summary>Kestrel has one limit for all listeners of a process, so in PushFarm it applies to clients' handshakes too.</summary>
    private static void LimitHeaders(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
    }
}
