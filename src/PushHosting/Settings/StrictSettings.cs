using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace PushHosting.Settings;

/// <summary>A setting is wrong. The message is one sentence that names the key and what it accepts.</summary>
public sealed class SettingsException(string message, Exception? innerException = null) : Exception(message, innerException)
{
    /// <summary>The usual sentence: the key, its value unless it looks like a secret, and what is accepted.</summary>
    internal static SettingsException For(string key, string value, string accepted) =>
        new($"{key} is {SettingText.Shown(key, value)}; it accepts {accepted}.");
}

/// <summary>
/// A settings class with rules that a single property's range cannot express: a text's form, or two keys that must match.
/// </summary>
public interface ICheckedSettings
{
    /// <summary>Checks the values after all are read.</summary>
    /// <param name="section">The section that was read, "Push:Outbox" for example, for the keys in the sentence.</param>
    /// <returns>One sentence that names the wrong key in full and what it accepts, or null.</returns>
    string? Problem(string section);
}

/// <summary>Reads a configuration section into a settings class and rejects keys that the class does not have.</summary>
/// <remarks>
/// A settings class has a public constructor without parameters. Its keys are its public properties with a setter: string, bool, int, long,
/// double, <see cref="TimeSpan"/>, an enum, any of these nullable, or an array of string (<c>Key:0</c>, <c>Key:1</c>). A property of
/// another class is a sub-section; it is never null. An array of another class is a list of sub-sections (<c>Keys:0:Name</c>). An empty
/// value counts as unset, except for a string property; an item of an array may not be empty. docs/adr/0004-strict-settings.md says why the
/// framework's binder is not used.
/// </remarks>
public static class StrictSettings
{
    /// <summary>Reads the section's keys into the properties of a new <typeparamref name="T"/>.</summary>
    /// <exception cref="SettingsException">A key is unknown, or a value is not accepted.</exception>
    public static T Read<T>(IConfiguration configuration, string section) where T : class, new() => Read(configuration, section, new T());

    /// <summary>The same, into settings that hold the defaults.</summary>
    internal static T Read<T>(IConfiguration configuration, string section, T settings) where T : class
    {
        Fill(settings, configuration.GetSection(section), section);
        return settings;
    }

    /// <summary>Reads a section that is itself a list of sections (<c>Rooms:0:Pattern</c>). Empty if the section is.</summary>
    /// <exception cref="SettingsException">A key is unknown, or a value is not accepted.</exception>
    public static T[] ReadList<T>(IConfiguration configuration, string section) where T : class, new() =>
        (T[])ReadSections(typeof(T), configuration.GetSection(section), section);

    /// <summary>The properties of a settings class that are keys or sub-sections.</summary>
    internal static PropertyInfo[] KeysOf(Type type) => [.. type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(IsKey)];

    /// <summary>Whether a property of this type is a sub-section.</summary>
    internal static bool IsSection(Type type) => type.IsClass && type != typeof(string) && !type.IsArray;

    /// <summary>Whether a property of this type is a list of sub-sections.</summary>
    internal static bool IsListOfSections(Type type) => type.IsArray && IsSection(type.GetElementType()!);

    private static void Fill(object settings, IConfigurationSection section, string path)
    {
        var keys = KeysOf(settings.GetType());
        var names = SettingText.List(keys.Select(key => key.Name));

        if (!string.IsNullOrEmpty(section.Value))
            throw SettingsException.For(path, section.Value, $"no value of its own, only the keys {names}, for example {path}:{keys[0].Name}");

        foreach (var child in section.GetChildren())
        {
            var key = Array.Find(keys, key => key.Name.Equals(child.Key, StringComparison.OrdinalIgnoreCase))
                ?? throw new SettingsException($"{path}:{SettingText.Clean(child.Key)} is not a key; {path} accepts {names}.");
            var keyPath = $"{path}:{key.Name}";

            if (IsSection(key.PropertyType))
                Fill(key.GetValue(settings)!, child, keyPath);
            else if (key.PropertyType == typeof(string[]))
                ReadArray(settings, key, child, keyPath);
            else if (IsListOfSections(key.PropertyType))
                key.SetValue(settings, ReadSections(key.PropertyType.GetElementType()!, child, keyPath));
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
            throw new SettingsException($"{path}:{SettingText.Clean(below.Key)} is not a key, since {path} is not a section; {path} accepts {accepted}.");
        if (child.Value is null || (child.Value.Length == 0 && key.PropertyType != typeof(string)))
            return;
        key.SetValue(settings, accepted.Parse(child.Value) ?? throw SettingsException.For(path, child.Value, accepted.ToString()));
    }

    private static void ReadArray(object settings, PropertyInfo key, IConfigurationSection child, string path)
    {
        var accepted = $"a list with one text per key, for example {path}:0 and {path}:1";
        List<string> items = [];
        foreach (var item in ItemsOf(child, path, accepted))
        {
            if (item.GetChildren().Any())
                throw NotAnItem(item, path, accepted);
            if (string.IsNullOrWhiteSpace(item.Value))
                throw new SettingsException($"{path}:{items.Count} is empty; it accepts {accepted}, none of them empty.");
            items.Add(item.Value);
        }
        if (items.Count > 0)
            key.SetValue(settings, items.ToArray());
    }

    private static Array ReadSections(Type type, IConfigurationSection child, string path)
    {
        var first = KeysOf(type)[0].Name;
        var sections = ItemsOf(child, path, $"a list of sections, for example {path}:0:{first} and {path}:1:{first}").ToArray();
        var items = Array.CreateInstance(type, sections.Length);
        for (var i = 0; i < sections.Length; i++)
        {
            var item = Activator.CreateInstance(type)!;
            Fill(item, sections[i], $"{path}:{i}");
            items.SetValue(item, i);
        }
        return items;
    }

    /// <summary>
    /// The items of a list in the order of their numbers. A missing one is an error, because skipping it would renumber the items after it.
    /// </summary>
    private static IEnumerable<IConfigurationSection> ItemsOf(IConfigurationSection list, string path, string accepted)
    {
        if (!string.IsNullOrEmpty(list.Value))
            throw SettingsException.For(path, list.Value, accepted);

        var count = 0;
        foreach (var item in list.GetChildren())
        {
            if (!int.TryParse(item.Key, NumberStyles.None, CultureInfo.InvariantCulture, out var index))
                throw NotAnItem(item, path, accepted);
            if (index != count)
                throw new SettingsException($"{path}:{count} is missing before {path}:{index}; it accepts {accepted}, numbered without gaps.");
            count++;
            yield return item;
        }
    }

    private static SettingsException NotAnItem(IConfigurationSection item, string path, string accepted) =>
        new($"{path}:{SettingText.Clean(item.Key)} is not an item of {path}; it accepts {accepted}.");

    private static bool IsKey(PropertyInfo property) => property.SetMethod is { IsPublic: true } || IsSection(property.PropertyType);
}
