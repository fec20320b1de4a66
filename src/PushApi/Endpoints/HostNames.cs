using System.Net;

namespace PushApi.Endpoints;

/// <summary>
/// The names by which the API may be called: names that an outsider cannot point at its address, and names that a setting adds. Immutable; any thread.
/// </summary>
/// <param name="setting">Names separated by semicolons, <c>*</c> for every name.</param>
internal sealed class HostNames(string setting)
{
    private const string Every = "*";

    private readonly string[] _names = Split(setting);

    /// <summary>
    /// Whether a Host header's name, without the port, is accepted. DNS rebinding needs a name that its attacker serves: no IP address, none below localhost, and none without a
    /// dot, as containers have. A request without a name comes from no browser.
    /// </summary>
    public bool Accepts(string host) =>
        !host.Contains('.') || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase) || IPAddress.TryParse(host, out _)
        || _names.Contains(Every) || _names.Contains(host, StringComparer.OrdinalIgnoreCase);

    /// <summary>The first of a setting's names that is not a host name, or null.</summary>
    public static string? Invalid(string setting) => Split(setting).FirstOrDefault(name => name != Every && Uri.CheckHostName(name) != UriHostNameType.Dns);

    private static string[] Split(string setting) => setting.Length == 0 ? [] : setting.Split(';', StringSplitOptions.TrimEntries);
}
