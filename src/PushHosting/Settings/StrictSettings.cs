using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace PushHosting.Settings;

/// <summary>Reads a configuration section into a settings class, refusing what it does not understand.</summary>
/// <remarks>
/// A settings class has a public constructor without parameters. Its keys are its public properties with a setter: string, bool, int, long, double,
/// <see cref="TimeSpan"/>, an enum, any of these nullable, or an array of string (<c>Key:0</c>, <c>Key:1</c>). A property of another class is a sub-section.
/// An empty value counts as unset, except for a string property; an item of an array may not be empty.
/// </remarks>
public static class StrictSettings
{
    /// <summary>
    /// Reads the section's keys into the properties of a new <typeparamref name="T"/>; properties that are classes are sub-sections. A key that
    /// no property answers to, a value that cannot be read and a value outside its property's range are refused.
    /// </summary>
    /// <exception cref="SettingsException">The first thing that is wrong.</exception>
    public static T Read<T>(IConfiguration configuration, string section) where T : class, new() => Read(configuration, section, new T());

    /// <summary>The same, into settings whose values so far are the defaults.</summary>
    internal static T Read<T>(IConfiguration configuration, string section, T settings) where T : class
    {
        Fill(settings, configuration.GetSection(section), section);
        return settings;
    }

    private static void Fill(object settings, IConfigurationSection section, string path)
    {
        PropertyInfo[] keys = [.. settings.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(IsKey)];

        if (!string.IsNullOrEmpty(section.Value))
        {
            throw new SettingsException(
                $"{path} is {SettingText.Shown(path, section.Value)}; it accepts no value of its own, only the keys {SettingText.List(keys.Select(k => k.Name))}, "
                + $"for example {path}:{keys[0].Name}.");
        }

        foreach (var child in section.GetChildren())
        {
            var key = Array.Find(keys, k => k.Name.Equals(child.Key, StringComparison.OrdinalIgnoreCase))
                ?? throw new SettingsException($"{path}:{SettingText.Clean(child.Key)} is not a key; {path} accepts {SettingText.List(keys.Select(k => k.Name))}.");
            var keyPath = $"{path}:{key.Name}";

            if (IsSection(key.PropertyType))
                Fill(SubSection(settings, key), child, keyPath);
            else if (key.PropertyType == typeof(string[]))
                ReadArray(settings, key, child, keyPath);
            else
                ReadValue(settings, key, child, keyPath);
        }

        if ((settings as ICheckedSettings)?.Problem(path) is { } problem)
            throw new SettingsException(problem);
    }

    private static void ReadValue(object settings, PropertyInfo key, IConfigurationSection child, string path)
    {
        SettingValue accepted = new(key, key.GetValue(settings));

        if (child.GetChildren().FirstOrDefault() is { } below)
            throw new SettingsException($"{path}:{SettingText.Clean(below.Key)} is not a key, since {path} is no section; {path} accepts {accepted}.");
        if (child.Value is null || (child.Value.Length == 0 && key.PropertyType != typeof(string)))
            return;
        if (!accepted.TryParse(child.Value, out var value))
            throw new SettingsException($"{path} is {SettingText.Shown(path, child.Value)}; it accepts {accepted}.");
        key.SetValue(settings, value);
    }

    private static void ReadArray(object settings, PropertyInfo key, IConfigurationSection child, string path)
    {
        var accepts = $"it accepts a list with one text per key, for example {path}:0 and {path}:1";
        if (!string.IsNullOrEmpty(child.Value))
            throw new SettingsException($"{path} is {SettingText.Shown(path, child.Value)}; {accepts}.");

        List<string> items = [];
        foreach (var item in child.GetChildren())
        {
            if (!int.TryParse(item.Key, NumberStyles.None, CultureInfo.InvariantCulture, out var index) || item.GetChildren().Any())
                throw new SettingsException($"{path}:{SettingText.Clean(item.Key)} is not an item of {path}; {accepts}.");
            // Items come in the order of their numbers. A hole, or an empty one, is a slip of the pen that would renumber what comes behind it.
            if (index != items.Count)
                throw new SettingsException($"{path}:{items.Count} is missing before {path}:{index}; {accepts}, numbered without a hole.");
            if (string.IsNullOrWhiteSpace(item.Value))
                throw new SettingsException($"{path}:{index} is empty; {accepts}, none of them empty.");
            items.Add(item.Value);
        }
        if (items.Count > 0)
            key.SetValue(settings, items.ToArray());
    }

    private static bool IsKey(PropertyInfo property) =>
        property.GetMethod is { IsPublic: true } && property.GetIndexParameters().Length == 0
        && (property.SetMethod is { IsPublic: true } || IsSection(property.PropertyType));

    private static bool IsSection(Type type) => type.IsClass && type != typeof(string) && !type.IsArray && type.GetConstructor(Type.EmptyTypes) is not null;

    private static object SubSection(object settings, PropertyInfo key)
    {
        if (key.GetValue(settings) is { } existing)
            return existing;
        var created = Activator.CreateInstance(key.PropertyType)!;
        key.SetValue(settings, created);
        return created;
    }
}

/// <summary>A settings class with rules that one property's range cannot say: a text's form, or two keys that must fit each other.</summary>
public interface ICheckedSettings
{
    /// <summary>
    /// Checks the values after all are read. Returns null, or what is wrong as one sentence that names the key in full and what it accepts.
    /// </summary>
    /// <param name="section">The section that was read, "Push:Outbox" for example, to name keys with.</param>
    string? Problem(string section);
}

/// <summary>A setting is wrong. The message is one sentence that names the key and what it accepts.</summary>
public sealed class SettingsException(string message, Exception? innerException = null) : Exception(message, innerException);
