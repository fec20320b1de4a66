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

    /// <summary>Disables the command: we subscribe on our own connection, so the library need not open one.</summary>
    private const string WithoutSubscriptions = "$SUBSCRIBE=";

    private const int ShortestConnectTimeout = 100;
    private const int LongestConnectTimeout = 60_000;

    /// <summary>The default limit of one attempt to connect: a node must be ready within 4 s of Redis's return.</summary>
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(2);

    // The commands of our own connections, which send them under their standard names.
    private static readonly string[] OwnCommands = ["$AUTH", "$SUBSCRIBE", "$UNSUBSCRIBE", "$PUBLISH", "$EVAL"];

    /// <summary>Reads a connection string in StackExchange.Redis's form, or a URL, and sets the options that the backplane depends on.</summary>
    /// <param name="key">The setting's key.</param>
    /// <param name="connectionString">The setting's value.</param>
    /// <exception cref="SettingsException">The value is not accepted. The message does not repeat it, since it may hold a password.</exception>
    public static RedisServerOptions Parse(string key, string connectionString)
    {
        var isUrl = IsUrl(connectionString);
        var parts = isUrl ? [] : Parts(connectionString);
        RefuseByName(key, parts);
        var user = parts.Select(part => ValueOf(part, "user")).LastOrDefault(value => value is not null);
        var options = Library(key, parts.Where(part => ValueOf(part, "user") is null));
        if (isUrl && !RedisUrl.TryRead(connectionString, options, out user))
            throw Refused(key);
        if (options.EndPoints.Count == 0)
            throw Refused(key);

        // Redis authenticates a password without a user as this user.
        var server = new RedisServerOptions(options, user == DefaultUser ? null : user);
        CheckUser(key, server);
        CheckConnectTimeout(key, parts, options);

        options.SetDefaultPorts();
        // One attempt ends with a connection or an error. The loop around it retries.
        options.AbortOnConnectFail = true;
        options.ConnectRetry = 1;
        // Unused here; each would add a channel or key on the server.
        options.ConfigurationChannel = "";
        options.TieBreaker = "";
        return server;
    }

    /// <summary>Whether a connection string is a URL; <c>unix://</c> begins an address.</summary>
    public static bool IsUrl(string connectionString) =>
        RedisUrl.IsUrl(connectionString) && !connectionString.TrimStart().StartsWith(UnixPrefix, StringComparison.OrdinalIgnoreCase);

    /// <summary>The addresses and options of a connection string that is no URL.</summary>
    public static string[] Parts(string connectionString) =>
        [.. connectionString.Split(',').Select(part => part.Trim()).Where(part => part.Length > 0)];

    /// <summary>The addresses: "localhost:6379", several separated by ", ".</summary>
    public static string EndPoints(RedisServerOptions options) => string.Join(", ", options.Library.EndPoints.Select(Shown));

    /// <summary>An address as it is written in a connection string.</summary>
    public static string Shown(EndPoint endPoint) => endPoint switch
    {
        DnsEndPoint dns => string.Create(CultureInfo.InvariantCulture, $"{dns.Host}:{dns.Port}"),
        UnixDomainSocketEndPoint => UnixPrefix + endPoint,
        _ => endPoint.ToString()!,
    };

    private static void RefuseByName(string key, string[] parts)
    {
        // The library reads "$ auth =" as "$AUTH=".
        var names = parts.Select(part => string.Concat(part.Split('=')[0].Where(c => !char.IsWhiteSpace(c)))).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var isOwn = parts.Any(part => ValueOf(part, "user") is not null || IsNotForLibrary(part));
        var own = OwnCommands.Where(command => isOwn || command is not ("$PUBLISH" or "$EVAL"));
        if (own.FirstOrDefault(names.Contains) is { } renamed)
            throw new SettingsException($"{key} has {renamed}; it can rename any command except {string.Join(", ", own)}.");
        if (names.Contains("serviceName"))
        {
            throw new SettingsException(
                $"{key} has a serviceName; Sentinel is not supported, so name the Redis server itself, or a proxy or DNS name that follows the master.");
        }
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

        // The library takes an unknown option for a host name, so a typo would become a DNS query.
        if (options.EndPoints.OfType<DnsEndPoint>().Any(endPoint => Uri.CheckHostName(endPoint.Host) != UriHostNameType.Dns))
            throw Refused(key);
        if (options.Ssl && options.EndPoints.OfType<UnixDomainSocketEndPoint>().Any())
            throw new SettingsException($"{key} asks for TLS on a Unix socket, where Redis does not support it.");
        // Such a proxy does not support pub/sub, and the library throws at every use of it.
        if (options.Proxy != Proxy.None)
            throw new SettingsException($"{key} names a proxy; it accepts Redis itself, because such a proxy does not support pub/sub.");
        // The library would put it before our own prefix, where users of redis-cli would not expect it.
        if (!options.ChannelPrefix.IsNullOrEmpty)
            throw new SettingsException($"{key} has a channelPrefix; use Backplane:ChannelPrefix instead.");
        return options;
    }

    private static void CheckUser(string key, RedisServerOptions server)
    {
        if (server.User is { Length: 0 } || (server.User is not null && string.IsNullOrEmpty(server.Library.Password)))
            throw new SettingsException($"{key} has a user without a name or without a password; set both, user=...,password=....");
        // Only the library can find the master among several.
        if (!server.IsForLibrary && server.Library.EndPoints.Count > 1)
            throw new SettingsException($"{key} has several addresses and a user, an IPv6 address or a Unix socket; with any of these it accepts only one address.");
    }

    private static void CheckConnectTimeout(string key, string[] parts, ConfigurationOptions options)
    {
        if (!parts.Any(part => ValueOf(part, "connectTimeout") is not null))
            options.ConnectTimeout = (int)ConnectTimeout.TotalMilliseconds;
        if (options.ConnectTimeout is < ShortestConnectTimeout or > LongestConnectTimeout)
        {
            throw new SettingsException(string.Create(
                CultureInfo.InvariantCulture,
                $"{key} has a connectTimeout of {options.ConnectTimeout}; it accepts {ShortestConnectTimeout} to {LongestConnectTimeout} milliseconds."));
        }
    }

    private static string? ValueOf(string part, string option) =>
        part.Split('=', 2) is [var name, var value] && name.Trim().Equals(option, StringComparison.OrdinalIgnoreCase) ? value.Trim() : null;

    /// <summary>Whether a part is an address that the library cannot read: IPv6, or a Unix socket.</summary>
    private static bool IsNotForLibrary(string part) => part.StartsWith('[') || part.StartsWith(UnixPrefix, StringComparison.OrdinalIgnoreCase);

    private static string PathOf(string part)
    {
        var path = part[UnixPrefix.Length..];
        path = path.StartsWith("//", StringComparison.Ordinal) ? path[2..] : path;
        return path.StartsWith('/') ? path : throw new FormatException();
    }

    private static SettingsException Refused(string key) => new(
        $"{key} must be host:port, or several, with options after commas as StackExchange.Redis reads them "
        + "(\"localhost:6379,user=...,password=...\"), [IPv6]:port, unix:/path, or a URL redis://user:password@host:port (rediss:// for TLS).");
}
