namespace PushHosting.Settings;

/// <summary>
/// Origins of web pages, as a setting lists them: separated by semicolons, <c>*</c> for every origin, an empty text for none. Immutable; any thread.
/// </summary>
/// <param name="setting">The setting's value, which <see cref="Problem"/> has accepted or which is empty.</param>
public sealed class OriginList(string setting)
{
    private const string Every = "*";

    private readonly string[] _origins = setting.Length == 0 ? [] : Split(setting);

    /// <summary>Whether pages of every origin are on the list, those whose origin is <c>null</c> included.</summary>
    public bool IsEvery => _origins.Contains(Every);

    /// <summary>Whether an <c>Origin</c> header's value is on the list.</summary>
    public bool Contains(string origin) => IsEvery || _origins.Contains(origin, StringComparer.OrdinalIgnoreCase);

    /// <summary>Checks a setting's value that may not be empty.</summary>
    /// <param name="key">The setting in full, "Push:Connections:AllowedOrigins" for example.</param>
    /// <param name="setting">Its value.</param>
    /// <returns>One sentence that names the key and what it accepts, or null.</returns>
    public static string? Problem(string key, string setting)
    {
        foreach (var origin in Split(setting))
        {
            if (origin != Every && !IsOrigin(origin))
                return $"{key} has '{origin}'; it accepts * or origins separated by semicolons, for example https://example.com;http://localhost:8080.";
        }

        return null;
    }

    private static string[] Split(string setting) => setting.Split(';', StringSplitOptions.TrimEntries);

    private static bool IsOrigin(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && string.Equals(uri.GetLeftPart(UriPartial.Authority), text, StringComparison.OrdinalIgnoreCase);
}
