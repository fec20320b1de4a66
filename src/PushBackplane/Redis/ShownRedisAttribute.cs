using PushHosting.Settings;
using StackExchange.Redis;

namespace PushBackplane.Redis;

/// <summary>
/// Shows a connection string or URL without its secrets: the addresses, and the values of options that are known to hold none. A password, and
/// the value of every other option, such as the name that an operator has given to a command to hide it, becomes three stars.
/// </summary>
internal sealed class ShownRedisAttribute : ShownAsAttribute
{
    private const string Stars = "***";

    private static readonly HashSet<string> Harmless = new(StringComparer.OrdinalIgnoreCase)
    {
        "abortConnect", "allowAdmin", "connectRetry", "connectTimeout", "defaultDatabase", "keepAlive", "name", "resolveDns", "responseTimeout",
        "ssl", "sslHost", "sslProtocols", "syncTimeout", "user", "version", "writeBuffer",
    };

    public override string Show(string value) =>
        RedisOptions.IsUrl(value) ? ShowUrl(value) : string.Join(',', RedisOptions.Parts(value).Select(ShowPart));

    /// <summary>Rebuilt from the parsed URL, so unparsed parts are never shown.</summary>
    private static string ShowUrl(string url)
    {
        var options = new ConfigurationOptions();
        if (!RedisUrl.TryRead(url, options, out var user))
            return Stars;
        var password = string.IsNullOrEmpty(options.Password) ? "" : $"{user}:{Stars}@";
        return $"{(options.Ssl ? "rediss" : "redis")}://{password}{string.Join(',', options.EndPoints.Select(RedisOptions.Shown))}";
    }

    private static string ShowPart(string part) =>
        part.Split('=', 2) is [var name, _] && !Harmless.Contains(name.Trim()) ? $"{name.Trim()}={Stars}" : part;
}
