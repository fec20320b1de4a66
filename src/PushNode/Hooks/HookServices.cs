using PushHosting.Settings;
using PushNode.Counts;
using PushNode.Sending;
using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.Hooks;

/// <summary>Registers what a node needs to tell a receiver what happens.</summary>
internal static class HookServices
{
    /// <summary>Adds the hooks, unless there are none; then nobody listens to what they would tell.</summary>
    /// <param name="services">The collection to add to.</param>
    /// <param name="settings">The settings.</param>
    /// <param name="counts">Where most events come from.</param>
    /// <param name="name">The node's name.</param>
    /// <exception cref="SettingsException">The settings want events of counts that are off.</exception>
    public static IServiceCollection AddHooks(this IServiceCollection services, HookSettings settings, CountsSettings counts, string name)
    {
        services.AddSingleton(settings);
        if (!settings.Enabled)
            return services;
        if (settings.TellsCounts && !counts.Enabled)
        {
            throw new SettingsException(
                $"{HookSettings.Section}:Events has events of rooms and users, which need {PushSettings.Section}:Counts:Enabled; "
                + $"without it, it accepts only {HookEventName.MessageSent}.");
        }

        services.AddSingleton<HookEvents>();
        // Without a listener, the counts do not ask and the SENDs do not tell.
        if (settings.TellsCounts)
            services.AddSingleton<IFarmEvents>(provider => provider.GetRequiredService<HookEvents>());
        if (settings.Tells(HookEventName.MessageSent))
            services.AddSingleton<ISentMessages>(provider => provider.GetRequiredService<HookEvents>());
        services.AddSingleton<HookMetrics>().AddSingleton<HookQueue>().AddSingleton<HookReceiver>();
        return services.AddHostedService(provider => ActivatorUtilities.CreateInstance<HookDelivery>(provider, name));
    }
}
