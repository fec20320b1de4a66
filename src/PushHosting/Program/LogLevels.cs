using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace PushHosting;

/// <summary>Checks the levels in the <c>Logging</c> section: the framework's own error names the value, but no key.</summary>
internal static class LogLevels
{
    private const string LogLevelSection = "LogLevel";

    /// <exception cref="SettingsException">A level is unknown.</exception>
    public static void Check(IConfiguration configuration)
    {
        foreach (IConfigurationSection child in configuration.GetSection("Logging").GetChildren())
        {
            bool forAllProviders = child.Key.Equals(LogLevelSection, StringComparison.OrdinalIgnoreCase);
            foreach (IConfigurationSection category in (forAllProviders ? child : child.GetSection(LogLevelSection)).GetChildren())
            {
                if (!string.IsNullOrEmpty(category.Value) && !(Enum.TryParse(category.Value, ignoreCase: true, out LogLevel level) && Enum.IsDefined(level)))
                {
                    throw new SettingsException(
                        $"{category.Path} is {SettingText.Shown(category.Path, category.Value)}; it accepts one of {SettingText.List(Enum.GetNames<LogLevel>())}, "
                        + $"for example {LogLevel.Information}.");
                }
            }
        }
    }
}
