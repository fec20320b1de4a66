using PushBackplane.Counts;
using PushHosting;
using PushNode.FanOut;
using PushNode.Settings;
using PushNode.Subscription;
using PushNode.Telemetry;

namespace PushNode.Counts;

/// <summary>Registers what a node needs to count.</summary>
internal static class CountsServices
{
    /// <summary>Adds the reporter, unless counts are off; then no room is watched and nothing is asked.</summary>
    /// <param name="services">The collection to add to.</param>
    /// <param name="settings">The settings.</param>
    /// <param name="name">The node's name.</param>
    public static IServiceCollection AddCounts(this IServiceCollection services, CountsSettings settings, string name)
    {
        if (!settings.Enabled)
            return services;
        services.AddSingleton(settings).AddSingleton<MemberChanges>();
        services.AddSingleton(provider => new WatchedRooms(provider.GetRequiredService<IFarmCounts>().IsOneProcess));
        services.AddSingleton<CountsMetrics>().AddSingleton<NodeSummary>().AddPlots(CountsPlots.All);
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<CountsReporter>(provider, name));
        // Stopped before the backplane, which is registered earlier.
        return services.AddHostedService(provider => provider.GetRequiredService<CountsReporter>()).AddHostedService<OnlinePolling>();
    }
}
