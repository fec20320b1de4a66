using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace PushHosting;

/// <summary>Registers what every program of the farm has.</summary>
public static class HostingServices
{
    /// <summary>
    /// Adds <c>/metrics</c>, <c>/healthz</c> and <c>/readyz</c> on their own listener (<c>Management:Address</c>, <c>Management:Port</c>), which opens before and
    /// closes after the application's own, and the OpenTelemetry pipeline behind <c>/metrics</c> (and OTLP where OTEL_EXPORTER_OTLP_ENDPOINT is set).
    /// Calling it twice adds it once.
    /// </summary>
    /// <param name="services">Where to.</param>
    /// <param name="configuration">Reads <c>Management</c>.</param>
    /// <param name="defaultPort">The port unless <c>Management:Port</c> is set.</param>
    public static IServiceCollection AddManagement(this IServiceCollection services, IConfiguration configuration, int defaultPort) => throw new NotImplementedException();

    /// <summary>Adds a meter's instruments to what is exported.</summary>
    public static IServiceCollection AddExportedMeter(this IServiceCollection services, string meterName) => throw new NotImplementedException();
}
