using System.Globalization;
using System.Net;
using PushHosting;
using StackExchange.Redis;

namespace PushBackplane.Redis;

/// <summary>Reads a connection string.</summary>
internal static class RedisOptions
{
    /// <summary>How long one attempt to connect may take.</summary>
    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(2);

    /// <summary>Subscribing has a connection of its own; without the command the library opens none for it.</summary>
    private const string WithoutSubscriptions = ",$SUBSCRIBE=";

    // What that connection sends, under the names that Redis gives them.
    private static readonly string[] OwnCommands = ["$AUTH", "$SUBSCRIBE", "$UNSUBSCRIBE"];

    /// <summary>Reads a connection string in StackExchange.Redis's form and sets what the backplane depends on.</summary>
    /// <param name="key">The setting that holds it.</param>
    /// <param name="connectionString">Its value.</param>
    /// <exception cref="SettingsException">It is malformed. The value is not repeated, since it may hold a password.</exception>
    public static ConfigurationOptions Parse(string key, string connectionString)
    {
        ConfigurationOptions options;
        try
        {
            options = ConfigurationOptions.Parse(connectionString + WithoutSubscriptions);
        }
        catch (Exception e) when (e is ArgumentException or FormatException or OverflowException)
        {
            throw Refused(key);
        }

        // What is no option counts as a host, so that a slip of the pen would be looked for on the network.
        if (options.EndPoints.Count == 0 || options.EndPoints.OfType<DnsEndPoint>().Any(endPoint => Uri.CheckHostName(endPoint.Host) != UriHostNameType.Dns))
            throw Refused(key);
        // Such a proxy carries no pub/sub, and the library throws at every use of it.
        if (options.Proxy != Proxy.None)
            throw new SettingsException($"{key} names a proxy; it accepts Redis itself, because pub/sub does not pass through such a proxy.");
        // It would stand before the channels' own prefix, where nobody who publishes with redis-cli expects it.
        if (!options.ChannelPrefix.IsNullOrEmpty)
            throw new SettingsException($"{key} has a channelPrefix; it accepts none, because that is what Backplane:ChannelPrefix is for.");

        // The library takes "$ auth =" for "$AUTH=".
        var names = connectionString.Split(',').Select(part => string.Concat(part.Split('=')[0].Where(c => !char.IsWhiteSpace(c)))).ToHashSet(StringComparer.OrdinalIgnoreCase);
        if (OwnCommands.FirstOrDefault(names.Contains) is { } renamed)
            throw new SettingsException($"{key} has {renamed}; it accepts other names for all commands but {string.Join(", ", OwnCommands)}, which are sent as they are.");

        options.SetDefaultPorts();
        // An attempt ends with a connection or an error, once: the loop around it retries, and knows when.
        options.AbortOnConnectFail = true;
        options.ConnectRetry = 1;
        options.ConnectTimeout = (int)ConnectTimeout.TotalMilliseconds;
        // Neither is used here, and either would be one more channel or key on the server.
        options.ConfigurationChannel = "";
        options.TieBreaker = "";
        return options;
    }

    /// <summary>Where Redis is: "localhost:6379", several separated by ", ".</summary>
    public static string EndPoints(ConfigurationOptions options) => string.Join(", ", options.EndPoints.Select(Shown));

    /// <summary>An address as a connection string has it.</summary>
    public static string Shown(EndPoint endPoint) => endPoint is DnsEndPoint dns ? string.Create(CultureInfo.InvariantCulture, $"{dns.Host}:{dns.Port}") : endPoint.ToString()!;

    private static SettingsException Refused(string key) =>
        new($"{key} must be host:port, or several, with options after commas as StackExchange.Redis reads them: \"localhost:6379,password=...\".");
}
