using System.Net.Sockets;
using StackExchange.Redis;

namespace PushBackplane.Redis;

/// <summary>The connection string or URL of one Redis server, parsed. Immutable once in use.</summary>
/// <param name="library">The options of StackExchange.Redis: addresses, password, TLS.</param>
/// <param name="user">The user to authenticate as; null for Redis's default user.</param>
internal sealed class RedisServerOptions(ConfigurationOptions library, string? user)
{
    private const string SubscriberSuffix = "-sub";

    public ConfigurationOptions Library { get; } = library;

    public string? User { get; } = user;

    /// <summary>
    /// Whether StackExchange.Redis can publish there: 1.2.6 does not support users, IPv6 or Unix sockets (docs/adr/0022).
    /// </summary>
    public bool IsForLibrary =>
        User is null && Library.EndPoints.All(endPoint => endPoint.AddressFamily is AddressFamily.InterNetwork or AddressFamily.Unspecified);

    /// <summary>How long one attempt to connect may take.</summary>
    public TimeSpan ConnectTimeout => TimeSpan.FromMilliseconds(Library.ConnectTimeout);

    /// <summary>The name of the publishing connection in Redis's <c>CLIENT LIST</c>; null for none.</summary>
    public string? PublisherName => string.IsNullOrEmpty(Library.ClientName) ? null : Library.ClientName;

    /// <summary>The name of the subscribing connection there.</summary>
    public string? SubscriberName => PublisherName is { } name ? name + SubscriberSuffix : null;

    /// <summary>Names the connections unless the connection string does. Characters that Redis refuses in a name become dashes.</summary>
    public void NameUnlessNamed(string name)
    {
        if (PublisherName is null)
            Library.ClientName = string.Concat(name.Select(c => c is > ' ' and <= '~' ? c : '-'));
    }
}
