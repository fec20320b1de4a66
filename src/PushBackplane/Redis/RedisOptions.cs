using System.Globalization;
using System.Net;
using System.Net.Sockets;
using PushHosting.Settings;
using StackExchange.Redis;

namespace PushBackplane.Redis;

/// <summary>Reads a connection string.</summary>
internal static class RedisOptions
{
    private const string UnixPrefix = "unix:";
    private const string DefaultUser = "default";

    /// <summary>Subscribing has a connection of its own; without the command the library opens none for it.</summary>
    private const string WithoutSubscriptions = "$SUBSCRIBE=";

    private const int ShortestConnectTimeout = 100;
    private const int LongestConnectTimeout = 60_000;

    /// <summary>How long one attempt to connect may take unless the connection string says: a node must be ready within 4 s of Redis's return.</summary>
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(2);

    // What our own connections send, under the names that Redis gives them.
    private static readonly string[] OwnCommands = ["$AUTH", "$SUBSCRIBE", "$UNSUBSCRIBE", "$PUBLISH"];

    /// <summary>Reads a connection string in StackExchange.Redis's form, or a URL, and sets what the backplane depends on.</summary>
    /// <param name="key">The setting that holds it.</param>
    /// <param name="connectionString">Its value.</param>
    /// <exception cref="SettingsException">It is malformed. The value is not repeated, since it may hold a password.</exception>
    public static RedisServerOptions Parse(string key, string connectionString)
    {
        var isUrl = RedisUrl.IsMeant(connectionString) && !connectionString.TrimStart().StartsWith(UnixPrefix, StringComparison.OrdinalIgnoreCase);
        string[] parts = isUrl ? [] : [.. connectionString.Split(',').Select(part => part.Trim()).Where(part => part.Length > 0)];
        RefuseByName(key, parts);
        var user = parts.Select(part => ValueOf(part, "user")).LastOrDefault(value => value is not null);
        var options = Library(key, parts.Where(part => ValueOf(part, "user") is null));
        if (isUrl && !RedisUrl.TryRead(connectionString, options, out user))
            throw Refused(key);
        if (options.EndPoints.Count == 0)
            throw Refused(key);

        // Redis uses this user for a password without a user.
        var server = new RedisServerOptions(options, user == DefaultUser ? null : user);
        CheckUser(key, server);
        CheckConnectTimeout(key, parts, options);

        options.SetDefaultPorts();
        // An attempt ends with a connection or an error, once: the loop around it retries, and knows when.
        options.AbortOnConnectFail = true;
        options.ConnectRetry = 1;
        // Neither is used here, and either would be one more channel or key on the server.
        options.ConfigurationChannel = "";
        options.TieBreaker = "";
        return server;
    }

    /// <summary>Where Redis is: "localhost:6379", several separated by ", ".</summary>
    public static string EndPoints(RedisServerOptions options) => string.Join(", ", options.Library.EndPoints.Select(Shown));

    /// <summary>An address as a connection string has it.</summary>
    public static string Shown(EndPoint endPoint) => endPoint switch
    {
        DnsEndPoint dns => string.Create(CultureInfo.InvariantCulture, $"{dns.Host}:{dns.Port}"),
        UnixDomainSocketEndPoint => UnixPrefix + endPoint,
        _ => endPoint.ToString()!,
    };

    private static void RefuseByName(string key, string[] parts)
    {
        // The library takes "$ auth =" for "$AUTH=".
        var names = parts.Select(part => string.Concat(part.Split('=')[0].Where(c => !char.IsWhiteSpace(c)))).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var isOwn = parts.Any(part => ValueOf(part, "user") is not null || IsNotForLibrary(part));
        if (OwnCommands.FirstOrDefault(command => names.Contains(command) && (isOwn || command != "$PUBLISH")) is { } renamed)
            throw new SettingsException($"{key} has {renamed}; it accepts other names for all commands but {string.Join(", ", OwnCommands.Where(command => isOwn || command != "$PUBLISH"))}, which are sent as they are.");
        if (names.Contains("serviceName"))
            throw new SettingsException($"{key} has a serviceName; Sentinel is not supported, so name the Redis server itself, or a proxy or DNS name that follows the master.");
    }

    private static ConfigurationOptions Library(string key, IEnumerable<string> parts)
    {
        ConfigurationOptions options;
        try
        {
            options = ConfigurationOptions.Parse(string.Join(',', parts.Where(part => !IsNotForLibrary(part)).Append(WithoutSubscriptions)));
            foreach (var part in parts.Where(IsNotForLibrary))
                options.EndPoints.Add(part.StartsWith('[') ? IPEndPoint.Parse(part) : new UnixDomainSocketEndPoint(PathOf(part)));
        }
        catch (Exception e) when (e is ArgumentException or FormatException or OverflowException)
        {
            throw Refused(key);
        }

        // What is no option counts as a host, so that a slip of the pen would be looked for on the network.
        if (options.EndPoints.OfType<DnsEndPoint>().Any(endPoint => Uri.CheckHostName(endPoint.Host) != UriHostNameType.Dns))
            throw Refused(key);
        if (options.Ssl && options.EndPoints.OfType<UnixDomainSocketEndPoint>().Any())
            throw new SettingsException($"{key} asks for TLS on a Unix socket, where Redis does not support it.");
        // Such a proxy carries no pub/sub, and the library throws at every use of it.
        if (options.Proxy != Proxy.None)
            throw new SettingsException($"{key} names a proxy; it accepts Redis itself, because pub/sub does not pass through such a proxy.");
        // It would stand before the channels' own prefix, where nobody who publishes with redis-cli expects it.
        if (!options.ChannelPrefix.IsNullOrEmpty)
            throw new SettingsException($"{key} has a channelPrefix; it accepts none, because that is what Backplane:ChannelPrefix is for.");
        return options;
    }

    private static void CheckUser(string key, RedisServerOptions server)
    {
        if (server.User is { Length: 0 } || (server.User is not null && string.IsNullOrEmpty(server.Library.Password)))
            throw new SettingsException($"{key} has a user without a name or without a password; set both, user=...,password=....");
        // Only the library can find the master among several.
        if (!server.IsForLibrary && server.Library.EndPoints.Count > 1)
            throw new SettingsException($"{key} has several addresses and a user, an IPv6 address or a Unix socket; with any of these it accepts one address.");
    }

    private static void CheckConnectTimeout(string key, string[] parts, ConfigurationOptions options)
    {
        if (!parts.Any(part => ValueOf(part, "connectTimeout") is not null))
            options.ConnectTimeout = (int)ConnectTimeout.TotalMilliseconds;
        if (options.ConnectTimeout is < ShortestConnectTimeout or > LongestConnectTimeout)
            throw new SettingsException(string.Create(CultureInfo.InvariantCulture, $"{key} has a connectTimeout of {options.ConnectTimeout}; it accepts {ShortestConnectTimeout} to {LongestConnectTimeout} milliseconds."));
    }

    private static string? ValueOf(string part, string option) =>
        part.IndexOf('=', StringComparison.Ordinal) is > 0 and var at && part.AsSpan(0, at).Trim().Equals(option, StringComparison.OrdinalIgnoreCase) ? part[(at + 1)..].Trim() : null;

    /// <summary>Whether it is an address that the library does not read: of IPv6, or a Unix socket.</summary>
    private static bool IsNotForLibrary(string part) => part.StartsWith('[') || part.StartsWith(UnixPrefix, StringComparison.OrdinalIgnoreCase);

    private static string PathOf(string part)
    {
        var path = part[UnixPrefix.Length..];
        path = path.StartsWith("//", StringComparison.Ordinal) ? path[2..] : path;
        return path.StartsWith('/') ? path : throw new FormatException();
    }

    private static SettingsException Refused(string key) =>
        new($"{key} must be host:port, or several, with options after commas as StackExchange.Redis reads them (\"localhost:6379,user=...,password=...\"), [IPv6]:port, unix:/path, or a URL redis://user:password@host:port (rediss:// for TLS).");
}
