using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using PushBackplane;
using PushBackplane.Publishing;
using PushHosting.Management;
using PushHosting.Settings;
using PushHosting.Startup;
using PushNode.Endpoints;
using PushNode.Settings;

namespace PushNode;

/// <summary>A push node inside another ASP.NET application: docs/embedding.md says what it may be combined with.</summary>
public static class EmbeddedNode
{
    /// <summary>
    /// Adds a push node and a <see cref="PushPublisher"/>. <c>app.MapPushNode()</c> gives the node its paths. Settings are those of a node:
    /// <c>Push</c>, <c>Backplane</c> and <c>ConnectionStrings:Redis</c>; if none names a Redis, messages stay inside the process.
    /// </summary>
    /// <exception cref="SettingsException">A setting is wrong.</exception>
    /// <exception cref="InvalidOperationException">The application has a node already.</exception>
    public static WebApplicationBuilder AddPushNode(this WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.Services;
        if (services.Any(service => service.ServiceType == typeof(ClientEndpoint)))
            throw new InvalidOperationException("AddPushNode was called twice; an application has one push node, which MapPushNode may map several times.");

        var name = StrictSettings.Read<PushSettings>(builder.Configuration, PushSettings.Section).NodeOr(DefaultName(builder));
        // Before the node, which would claim all of ConnectionStrings.
        services.AddBackplane(builder.Configuration, name, defaultRedis: null, ownsConnectionStrings: false);
        services.AddPushNode(builder.Configuration, name, defaultRedis: null);
        services.AddSingleton(provider => new PushPublisher(
            provider.GetRequiredService<IBackplane>(), provider.GetRequiredService<ChannelPublisher>(), provider.GetRequiredService<MergeSettings>(),
            provider.GetRequiredService<IOptions<JsonOptions>>(), provider.GetRequiredService<TimeProvider>()));
        return builder;
    }

    /// <summary>
    /// Adds a check that fails while this application should get no clients: Redis is unavailable, or the node drains. The same as the
    /// management listener's <c>/readyz</c>.
    /// </summary>
    public static IHealthChecksBuilder AddPushNodeCheck(this IHealthChecksBuilder checks) => checks.AddCheck<NodeHealth>("push-node");

    /// <summary>Addresses set in code are not known yet; processes of one machine then differ by their ids.</summary>
    private static string DefaultName(WebApplicationBuilder builder) =>
        PushProgram.DefaultName(builder) is var name && name != Environment.MachineName ? name : $"{name}:{Environment.ProcessId}";

    private sealed class NodeHealth(IEnumerable<IReadiness> conditions) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            string[] reasons = [.. conditions.Select(condition => condition.NotReadyBecause).OfType<string>()];
            return Task.FromResult(reasons.Length == 0 ? HealthCheckResult.Healthy() : new(context.Registration.FailureStatus, string.Join(' ', reasons)));
        }
    }
}
