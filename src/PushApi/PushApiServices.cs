using Microsoft.Extensions.DependencyInjection.Extensions;
using PushApi.Endpoints;
using PushApi.Publishing;
using PushApi.Requests;
using PushApi.Telemetry;
using PushHosting;
using PushHosting.Settings;

namespace PushApi;

/// <summary>Registers the publish API.</summary>
public static class PushApiServices
{
    /// <summary>
    /// Adds the publish API behind <see cref="PushApiRoutes.MapPushApi"/>. The host adds the backplane
    /// (<see cref="PushBackplane.BackplaneServices.AddBackplane"/>) itself, since it may share it with a node.
    /// </summary>
    /// <param name="services">Where to.</param>
    /// <param name="configuration">Reads <c>PushApi</c>.</param>
    /// <exception cref="SettingsException">A key under <c>PushApi</c> is unknown or its value is not accepted.</exception>
    public static IServiceCollection AddPushApi(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton(StrictSettings.Read<PushApiSettings>(configuration, PushApiSettings.Section));
        services.TryAddSingleton(TimeProvider.System);

        services.AddCors();
        services.AddSingleton<PageAccess>();
        services.AddSingleton<PendingBytes>();
        services.AddSingleton<BodyReader>();
        services.AddSingleton<ChannelPublisher>();
        services.AddSingleton<PublishEndpoints>();

        services.AddSingleton<PushApiMetrics>();
        services.AddExportedMeter(PushApiMetrics.MeterName);

        services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, ApiJson.Default));
        services.AddOpenApi(ApiDescription.Document, ApiDescription.Configure);
        return services;
    }
}
