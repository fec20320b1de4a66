namespace PushHosting.Settings;

/// <summary>Formats values and lists for error sentences.</summary>
internal static class SettingText
{
    private const int LongestShown = 100;
    private static readonly string[] SecretWords = ["password", "secret", "connectionstring"];

    /// <summary>
    /// A value for an error: quoted, on one line and cut if long. It is hidden if key or value look like a secret:
    /// <c>host:6379,password=x</c> under the wrong key, <c>http://user:x@host</c>.
    /// </summary>
    public static string Shown(string key, string value) =>
        value.Contains('@', StringComparison.Ordinal) || SecretWords.Any(word => $"{key} {value}".Contains(word, StringComparison.OrdinalIgnoreCase))
            ? "a value that is not shown here"
            : $"'{Clean(value)}'";

    /// <summary>Text of unknown origin, safe to print on one line of a terminal.</summary>
    public static string Clean(string text)
    {
        string line = new([.. text.Take(LongestShown).Select(c => char.IsControl(c) ? '?' : c)]);
        return text.Length > LongestShown ? line + "..." : line;
    }

    /// <summary>"A, B and C".</summary>
    public static string List(IEnumerable<string> items)
    {
        string[] all = [.. items];
        return all.Length < 2 ? string.Concat(all) : $"{string.Join(", ", all[..^1])} and {all[^1]}";
    }
}
