namespace PushHosting.Settings;

/// <summary>
/// Names that a setting allows, separated by semicolons. <c>*</c> allows every name, an empty text none. Immutable; any thread.
/// </summary>
/// <param name="setting">The setting's value, checked by one of the methods below, or empty.</param>
public sealed class AllowList(string setting)
{
    private const string Every = "*";

    private readonly string[] _names = setting.Length == 0 ? [] : Split(setting);

    /// <summary>Whether every name is allowed.</summary>
    public bool IsEvery => _names.Contains(Every);

    /// <summary>Whether this name is allowed. Ignores case.</summary>
    public bool Contains(string name) => IsEvery || _names.Contains(name, StringComparer.OrdinalIgnoreCase);

    /// <summary>Checks a list of web pages' origins, as the <c>Origin</c> header has them. The list must not be empty.</summary>
    /// <param name="key">The setting in full, "Push:Connections:AllowedOrigins" for example.</param>
    /// <param name="setting">Its value.</param>
    /// <returns>One sentence that names the key and what it accepts, or null.</returns>
    public static string? OriginProblem(string key, string setting) =>
        Problem(key, setting, IsOrigin, "origins separated by semicolons, for example https://example.com;http://localhost:8080");

    /// <summary>Checks a list of host names. The list must not be empty.</summary>
    /// <param name="key">The setting in full.</param>
    /// <param name="setting">Its value.</param>
    /// <returns>One sentence that names the key and what it accepts, or null.</returns>
    public static string? HostProblem(string key, string setting) =>
        Problem(key, setting, IsHost, "host names without a port separated by semicolons, for example push-api.example.com;push-api.internal");

    private static string? Problem(string key, string setting, Func<string, bool> isValid, string accepts) =>
        Split(setting).FirstOrDefault(name => name != Every && !isValid(name)) is { } wrong
            ? $"{key} has '{wrong}'; it accepts * or {accepts}."
            : null;

    private static string[] Split(string setting) => setting.Split(';', StringSplitOptions.TrimEntries);

    private static bool IsHost(string text) => Uri.CheckHostName(text) == UriHostNameType.Dns;

    private static bool IsOrigin(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
        && string.Equals(uri.GetLeftPart(UriPartial.Authority), text, StringComparison.OrdinalIgnoreCase);
}
