using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using StackExchange.Redis;

namespace PushBackplane.Redis;

/// <summary>
/// Reads the URLs that providers give: <c>redis://user:password@host:port/0</c>, or <c>rediss://</c> for TLS, as in the scheme's IANA
/// registration. User and password may be percent-encoded. The database is checked and ignored, because pub/sub has no databases.
/// </summary>
internal static class RedisUrl
{
    private const int StandardPort = 6379;

    private static readonly SearchValues<char> SchemeCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

    /// <summary>Whether a connection string begins like a URL.</summary>
    public static bool IsUrl(string text)
    {
        var rest = text.AsSpan().TrimStart();
        return rest.IndexOf("://") is > 0 and var at && !rest[..at].ContainsAnyExcept(SchemeCharacters);
    }

    /// <summary>Reads a URL into options.</summary>
    /// <param name="text">The URL.</param>
    /// <param name="options">Gets address, password and TLS.</param>
    /// <param name="user">The user; null when the URL names none.</param>
    /// <returns>False when the text is not such a URL, or has parts that are not supported.</returns>
    public static bool TryRead(string text, ConfigurationOptions options, out string? user)
    {
        user = null;
        if (!Uri.TryCreate(text.Trim(), UriKind.Absolute, out var url) || url.Scheme is not ("redis" or "rediss"))
            return false;
        if (url.Host.Length == 0 || url.Query.Length > 0 || url.Fragment.Length > 0)
            return false;
        if (url.AbsolutePath is not ("" or "/") && !ushort.TryParse(url.AbsolutePath.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out _))
            return false;
        if (!TryReadUser(url.UserInfo, out user, out var password))
            return false;

        var port = url.IsDefaultPort || url.Port < 0 ? StandardPort : url.Port;
        options.EndPoints.Add(IPAddress.TryParse(url.DnsSafeHost, out var address) ? new IPEndPoint(address, port) : new DnsEndPoint(url.DnsSafeHost, port));
        options.Password = password;
        options.Ssl = url.Scheme == "rediss";
        return true;
    }

    /// <summary>Reads user and password. A name alone is refused, because programs disagree whether it is the user or the password.</summary>
    private static bool TryReadUser(string text, out string? user, [NotNullWhen(true)] out string? password)
    {
        user = null;
        password = "";
        if (text.Length == 0)
            return true;
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0)
            return false;
        user = colon == 0 ? null : Uri.UnescapeDataString(text[..colon]);
        password = Uri.UnescapeDataString(text[(colon + 1)..]);
        return true;
    }
}
