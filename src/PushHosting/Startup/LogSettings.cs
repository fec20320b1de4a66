using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using PushHosting.Settings;

namespace PushHosting.Startup;

/// <summary>
/// Checks the parts of the <c>Logging</c> section for which the framework's own error does not name the key, or is a stack trace.
/// </summary>
internal static class LogSettings
{
    private const string LogLevelSection = "LogLevel";
    private const string TimestampFormat = "Logging:Console:FormatterOptions:TimestampFormat";

    /// <exception cref="SettingsException">A level is unknown, or the time stamp's format is invalid.</exception>
    public static void Check(IConfiguration configuration)
    {
        foreach (var child in configuration.GetSection("Logging").GetChildren())
        {
            // "Logging:LogLevel:*" is for all providers, "Logging:Console:LogLevel:*" for one.
            var forAll = child.Key.Equals(LogLevelSection, StringComparison.OrdinalIgnoreCase);
            foreach (var level in (forAll ? child : child.GetSection(LogLevelSection)).GetChildren())
                CheckLevel(level.Path, level.Value);
        }

        CheckTimestamp(configuration[TimestampFormat]);
    }

    private static void CheckLevel(string key, string? value)
    {
        if (!string.IsNullOrEmpty(value) && !(Enum.TryParse(value, ignoreCase: true, out LogLevel level) && Enum.IsDefined(level)))
            throw SettingsException.For(key, value, $"one of {SettingText.List(Enum.GetNames<LogLevel>())}, for example {LogLevel.Information}");
    }

    private static void CheckTimestamp(string? format)
    {
        try
        {
            _ = DateTimeOffset.UnixEpoch.ToString(format, CultureInfo.InvariantCulture);
        }
        catch (FormatException)
        {
            throw SettingsException.For(TimestampFormat, format!, "a .NET date and time format, for example HH:mm:ss");
        }
    }
}
