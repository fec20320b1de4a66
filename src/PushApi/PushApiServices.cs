using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection.Extensions;
using PushApi.Access;
using PushApi.Counts;
using PushApi.Endpoints;
using PushApi.History;
using PushApi.Requests;
using PushApi.Settings;
using PushApi.Telemetry;
using PushBackplane.Publishing;
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
    /// <param name="pages">Origins of the host's own pages, which may publish like those in <c>PushApi:AllowedOrigins</c>.</param>
    /// <exception cref="SettingsException">A key under <c>PushApi</c> is unknown or its value is not accepted.</exception>
    public static IServiceCollection AddPushApi(this IServiceCollection services, IConfiguration configuration, params string[] pages)
    {
        var settings = services.ReadSettings<PushApiSettings>(configuration, PushApiSettings.Section);
        settings.AllowedOrigins = string.Join(';', ((string[])[settings.AllowedOrigins, .. pages]).Where(origins => origins.Length > 0));
        services.AddSingleton(settings);
        services.TryAddSingleton(TimeProvider.System);

        // In the order of a request's path.
        services.Configure<KestrelServerOptions>(LimitHeaders);
        services.AddCors().AddSingleton<PageAccess>().AddSingleton<Refusals>();
        services.AddSingleton<KeyRing>().AddSingleton<ApiAccess>();
        services.AddSingleton<PublishEndpoints>().AddSingleton<UserEndpoints>();
        services.AddSingleton<PendingBytes>().AddSingleton<BodyReader>();
        // A node in the same process has it too.
        services.TryAddSingleton<ChannelPublisher>();

        services.AddSingleton<RecentAnswers>().AddSingleton<CountEndpoints>();
        services.AddSingleton<PageReader>().AddSingleton<HistoryEndpoints>();

        services.AddSingleton<PushApiMetrics>().AddExportedMeter(PushApiMetrics.MeterName).AddPlots(PushApiPlots.All);

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
