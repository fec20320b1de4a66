using System.Globalization;

namespace PushHosting.Settings;

/// <summary>Formats values and lists for error sentences.</summary>
public static class SettingText
{
    private const int LongestShown = 100;
    private const string Hidden = "a value that is not shown here";

    // OTEL_EXPORTER_OTLP_HEADERS usually holds a key.
    private static readonly string[] SecretWords =
        ["password", "secret", "connectionstring", "token", "credential", "apikey", "api-key", "api_key", "access_key", "accesskey", "sig=", "_headers"];

    /// <summary>
    /// A value for an error: quoted, on one line and cut if long. It is hidden if key or value look like a secret:
    /// <c>host:6379,password=x</c> under the wrong key, <c>http://user:x@host</c>.
    /// </summary>
    public static string Shown(string key, string value) => IsSecret(key, value) ? Hidden : $"'{Clean(value)}'";

    /// <summary>A value for the node's page: whole, or hidden if key or value look like a secret.</summary>
    public static string Masked(string key, string value) => IsSecret(key, value) ? Hidden : OneLine(value);

    /// <summary>A duration as the settings accept it, without needless zeros.</summary>
    public static string Duration(TimeSpan duration)
    {
        var text = duration.ToString("c", CultureInfo.InvariantCulture);
        return duration.Ticks % TimeSpan.TicksPerSecond == 0 ? text : text.TrimEnd('0');
    }

    /// <summary>Text of unknown origin, safe to print on one line of a terminal.</summary>
    public static string Clean(string text)
    {
        var line = OneLine(text.Length > LongestShown ? text[..LongestShown] : text);
        return text.Length > LongestShown ? line + "..." : line;
    }

    /// <summary>Text of unknown origin on one line, whole.</summary>
    public static string OneLine(string text) => new([.. text.Select(c => char.IsControl(c) ? '?' : c)]);

    /// <summary>"A, B and C".</summary>
    public static string List(IEnumerable<string> items)
    {
        string[] all = [.. items];
        return all.Length < 2 ? string.Concat(all) : $"{string.Join(", ", all[..^1])} and {all[^1]}";
    }

    private static bool IsSecret(string key, string value) =>
        value.Contains('@', StringComparison.Ordinal)
        || SecretWords.Any(word => $"{key} {value}".Contains(word, StringComparison.OrdinalIgnoreCase));
}
