using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using PushHosting.Management;
using PushHosting.Metrics;
using PushHosting.Settings;
using PushHosting.Status;

namespace PushHosting;

/// <summary>Registers the services that every program of the farm has.</summary>
public static class HostingServices
{
    /// <summary>
    /// Adds the node's page, <c>/metrics</c>, <c>/healthz</c> and <c>/readyz</c> on their own listener (<c>Management:Address</c>, <c>Management:Port</c>),
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

        var settings = services.ReadSettings(configuration, ManagementSettings.Section, () => new ManagementSettings { Port = defaultPort });
        OtlpEndpoint.Check(configuration);

        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(new ManagementEndpoint(new IPEndPoint(IPAddress.Parse(settings.Address), settings.Port)));
        services.AddSingleton<MetricsPipeline>();
        services.AddPlots(ProcessPlots.All).AddSingleton<PlotHistory>().AddSingleton<StatusSampler>();
        services.AddSingleton(ShownSettings.OfFramework(configuration)).AddSingleton<SettingsPage>();
        services.AddSingleton(settings).AddSingleton<StatusPage>().AddSingleton<NodePage>().AddSingleton<ManagementPages>();
        services.AddSingleton<IReadiness, IsServing>().AddSingleton<Readiness>();
        services.AddExportedMeter(Readiness.MeterName);
        services.AddHostedService<ManagementServer>();
        return services;
    }

    /// <summary>Exports the instruments of a meter.</summary>
    public static IServiceCollection AddExportedMeter(this IServiceCollection services, string meterName) =>
        services.AddSingleton(new ExportedMeter(meterName));

    /// <summary>Adds plots to the node's page, in their order, of instruments that are exported.</summary>
    public static IServiceCollection AddPlots(this IServiceCollection services, params ReadOnlySpan<Plot> plots)
    {
        foreach (var plot in plots)
            services.AddSingleton(plot);
        return services;
    }

    /// <summary>Adds a part of the node's page that is computed on request.</summary>
    public static IServiceCollection AddStatusPart<T>(this IServiceCollection services) where T : class, IStatusPart =>
        services.AddSingleton<IStatusPart, T>();

    /// <summary>Names the process on the node's page, as <c>Push:Node</c> and its default do.</summary>
    public static IServiceCollection AddProcessName(this IServiceCollection services, string name) => services.AddSingleton(new ProcessName(name));
}
