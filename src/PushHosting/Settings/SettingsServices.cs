using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace PushHosting.Settings;

/// <summary>Reads settings that the node's page shows.</summary>
public static class SettingsServices
{
    /// <summary>
    /// Reads a section as <see cref="StrictSettings.Read{T}(IConfiguration, string)"/> does, and shows its keys on the node's page.
    /// </summary>
    /// <exception cref="SettingsException">A key is unknown, or a value is not accepted.</exception>
    public static T ReadSettings<T>(this IServiceCollection services, IConfiguration configuration, string section) where T : class, new() =>
        services.ReadSettings(configuration, section, static () => new T());

    /// <summary>The same, into settings that hold the defaults.</summary>
    internal static T ReadSettings<T>(this IServiceCollection services, IConfiguration configuration, string section, Func<T> defaults)
        where T : class
    {
        var settings = StrictSettings.Read(configuration, section, defaults());
        services.AddSingleton(ShownSettings.Of(configuration, section, settings, defaults()));
        return settings;
    }

    /// <summary>Reads a section that is itself a list of sections (<c>Rooms:0:Pattern</c>), and shows its keys on the node's page.</summary>
    /// <exception cref="SettingsException">A key is unknown, or a value is not accepted.</exception>
    public static T[] ReadSettingsList<T>(this IServiceCollection services, IConfiguration configuration, string section) where T : class, new()
    {
        var items = StrictSettings.ReadList<T>(configuration, section);
        services.AddSingleton(ShownSettings.OfList(configuration, section, items));
        return items;
    }

    /// <summary>
    /// Says on the node's page which value stands in for a key that is unset, where that depends on the program or the machine.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="key">The key in full.</param>
    /// <param name="value">The value, which has no secret.</param>
    public static IServiceCollection ShowDefault(this IServiceCollection services, string key, string value) =>
        services.AddSingleton(new ShownDefault(key, value));
}

/// <summary>The value of a key while it is unset.</summary>
internal sealed record ShownDefault(string Key, string Value)
{
    /// <summary>Puts the default into the row of its key.</summary>
    public ShownSetting Into(ShownSetting row) => row with { Default = Value, Value = row.Value.Length == 0 ? Value : row.Value };
}
