using Microsoft.Extensions.Configuration;

namespace PushHosting;

/// <summary>Reads a configuration section into a settings class, refusing what it does not understand.</summary>
public static class StrictSettings
{
    /// <summary>
    /// Reads the section's keys into the properties of a new <typeparamref name="T"/>; properties that are classes are sub-sections. A key that
    /// no property answers to, a value that cannot be read and a value outside its property's range are refused.
    /// </summary>
    /// <exception cref="SettingsException">The first thing that is wrong.</exception>
    public static T Read<T>(IConfiguration configuration, string section) where T : class, new() => throw new NotImplementedException();
}
