using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using PushHosting.Settings;

namespace PushHosting.Startup;

/// <summary>Checks the <c>Logging</c> section where the framework's own error names the value but no key, or comes as a stack trace.</summary>
internal static class LogSettings
{
    private const string LogLevelSection = "LogLevel";
    private const string TimestampFormat = "Logging:Console:FormatterOptions:TimestampFormat";

    /// <exception cref="SettingsException">A level is unknown, or the time stamp's format is none.</exception>
    public static void Check(IConfiguration configuration)
    {
        CheckLevels(configuration);
        try
        {
            _ = DateTimeOffset.UnixEpoch.ToString(configuration[TimestampFormat], CultureInfo.InvariantCulture);
        }
        catch (FormatException)
        {
            throw new SettingsException($"{TimestampFormat} is {SettingText.Shown(TimestampFormat, configuration[TimestampFormat]!)}; it accepts a .NET date and time format, for example HH:mm:ss.");
        }
    }

    private static void CheckLevels(IConfiguration configuration)
    {
        foreach (var child in configuration.GetSection("Logging").GetChildren())
        {
            var forAllProviders = child.Key.Equals(LogLevelSection, StringComparison.OrdinalIgnoreCase);
            foreach (var category in (forAllProviders ? child : child.GetSection(LogLevelSection)).GetChildren())
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
