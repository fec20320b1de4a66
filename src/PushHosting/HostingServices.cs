using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using PushHosting.Management;
using PushHosting.Metrics;
using PushHosting.Settings;

namespace PushHosting;

/// <summary>Registers the services that every program of the farm has.</summary>
public static class HostingServices
{
    /// <summary>
    /// Adds <c>/metrics</c>, <c>/healthz</c> and <c>/readyz</c> on their own listener (<c>Management:Address</c>, <c>Management:Port</c>),
    /// which opens before the application's own and closes after it, and the OpenTelemetry pipeline behind <c>/metrics</c> (and behind
    /// OTLP, if OTEL_EXPORTER_OTLP_ENDPOINT is set). A second call does nothing.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="configuration">Provides <c>Management</c>.</param>
    /// <param name="defaultPort">
    /// The port unless <c>Management:Port</c> is set; 0 for any free one (<see cref="ManagementEndpoint.Url"/>).
    /// </param>
    /// <exception cref="SettingsException">A setting is wrong.</exception>
    public static IServiceCollection AddManagement(this IServiceCollection services, IConfiguration configuration, int defaultPort)
    {
        if (services.Any(d => d.ServiceType == typeof(ManagementEndpoint)))
            return services;

        var settings = StrictSettings.Read(configuration, ManagementSettings.Section, new ManagementSettings { Port = defaultPort });
        OtlpEndpoint.Check(configuration);

        services.AddMetrics();
        services.AddSingleton(new ManagementEndpoint(new IPEndPoint(IPAddress.Parse(settings.Address), settings.Port)));
        services.AddSingleton<MetricsPipeline>();
        services.AddSingleton<ManagementPages>();
        services.AddSingleton<IReadiness, IsServing>().AddSingleton<Readiness>();
        services.AddExportedMeter(Readiness.MeterName);
        services.AddHostedService<ManagementServer>();
        return services;
    }

    /// <summary>Exports the instruments of a meter.</summary>
    public static IServiceCollection AddExportedMeter(this IServiceCollection services, string meterName) =>
        services.AddSingleton(new ExportedMeter(meterName));
}
