using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace PushHosting.Settings;

/// <summary>One key as the node's page shows it, without secrets.</summary>
/// <param name="Key">The key in full.</param>
/// <param name="Value">Its value in this process; empty if it has none.</param>
/// <param name="Default">The value that it would have if nothing set it; empty for none, or if only the framework knows.</param>
/// <param name="Source">What set it (<see cref="SettingSource"/>).</param>
internal sealed record ShownSetting(string Key, string Value, string Default, string Source);

/// <summary>The settings of one section that a program has read at start, for the node's page. Immutable; any thread.</summary>
internal sealed record ShownSettings(IReadOnlyList<ShownSetting> Rows)
{
    private static readonly string[] FrameworkSections = ["Kestrel", "Logging"];

    /// <summary>The keys of a settings class.</summary>
    /// <param name="configuration">What the settings were read from.</param>
    /// <param name="section">The section that was read.</param>
    /// <param name="settings">The settings that were read.</param>
    /// <param name="defaults">The same class as it was before.</param>
    public static ShownSettings Of(IConfiguration configuration, string section, object settings, object defaults) =>
        new([.. RowsOf(configuration, section, settings, defaults)]);

    /// <summary>The keys of a section that is itself a list.</summary>
    public static ShownSettings OfList(IConfiguration configuration, string section, object[] items) =>
        new([.. RowsOf(configuration, section, items)]);

    /// <summary>
    /// The keys of .NET itself and of OpenTelemetry that somebody has set. Nobody knows all of them, so only those that are set are shown.
    /// </summary>
    public static ShownSettings OfFramework(IConfiguration configuration)
    {
        var keys = FrameworkSections.SelectMany(section => configuration.GetSection(section).AsEnumerable())
            .Concat(configuration.AsEnumerable().Where(pair => pair.Key.StartsWith("OTEL_", StringComparison.OrdinalIgnoreCase)));
        return new([
            .. keys.Where(pair => !string.IsNullOrEmpty(pair.Value))
                .Select(pair => new ShownSetting(
                    pair.Key, SettingText.Masked(pair.Key, pair.Value!), "", SettingSource.Of(configuration, pair.Key)))
                .OrderBy(row => row.Key, StringComparer.Ordinal),
        ]);
    }

    private static IEnumerable<ShownSetting> RowsOf(IConfiguration configuration, string section, object settings, object defaults) =>
        StrictSettings.KeysOf(settings.GetType())
            .SelectMany(key => RowsOf(configuration, key, $"{section}:{key.Name}", key.GetValue(settings), key.GetValue(defaults)));

    private static IEnumerable<ShownSetting> RowsOf(
        IConfiguration configuration, PropertyInfo key, string path, object? value, object? standard)
    {
        if (StrictSettings.IsSection(key.PropertyType))
            return RowsOf(configuration, path, value!, standard!);
        if (value is object[] { Length: > 0 } sections && StrictSettings.IsListOfSections(key.PropertyType))
            return RowsOf(configuration, path, sections);
        return value is string[] { Length: > 0 } items
            ? items.Select((item, i) => Row(configuration, key, $"{path}:{i}", item, ""))
            : [Row(configuration, key, path, Text(value), Text(standard))];
    }

    private static IEnumerable<ShownSetting> RowsOf(IConfiguration configuration, string path, object[] sections) =>
        sections.SelectMany((item, i) => RowsOf(configuration, $"{path}:{i}", item, Activator.CreateInstance(item.GetType())!));

    private static ShownSetting Row(IConfiguration configuration, PropertyInfo key, string path, string value, string standard)
    {
        // An empty value counts as unset, except for a text (StrictSettings).
        var isSet = key.PropertyType == typeof(string) || !string.IsNullOrEmpty(configuration[path]);
        var source = isSet ? SettingSource.Of(configuration, path) : SettingSource.Default;
        var shown = Shown(key, path, value);
        // A program may have another default than the class.
        return new(path, shown, source == SettingSource.Default ? shown : Shown(key, path, standard), source);
    }

    private static string Shown(PropertyInfo key, string path, string value) =>
        value.Length == 0 ? "" : key.GetCustomAttribute<ShownAsAttribute>(inherit: true)?.Show(value) ?? SettingText.Masked(path, value);

    private static string Text(object? value) => value switch
    {
        null or Array => "",
        bool flag => flag ? "true" : "false",
        TimeSpan duration => SettingText.Duration(duration),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };
}
