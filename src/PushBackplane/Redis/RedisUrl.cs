using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using StackExchange.Redis;

namespace PushBackplane.Redis;

/// <summary>
/// Reads what providers hand out: <c>redis://user:password@host:port/0</c>, or <c>rediss://</c> for TLS, as the IANA registration of the scheme has it. User and password may
/// be percent-encoded. The database is read and ignored, because pub/sub has none.
/// </summary>
internal static class RedisUrl
{
    private const int StandardPort = 6379;

    private static readonly SearchValues<char> SchemeCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

    /// <summary>Whether a connection string is meant as a URL.</summary>
    public static bool IsMeant(string text) => text.TrimStart() is var rest && rest.IndexOf("://", StringComparison.Ordinal) is > 0 and var at && rest.AsSpan(0, at).IndexOfAnyExcept(SchemeCharacters) < 0;

    /// <summary>Reads a URL into options.</summary>
    /// <param name="text">The URL.</param>
    /// <param name="options">Gets address, password and TLS.</param>
    /// <param name="user">The user; null when none is named.</param>
    /// <returns>False when it is not such a URL, or says more than is known here.</returns>
    public static bool TryRead(string text, ConfigurationOptions options, out string? user)
    {
        user = null;
        if (!Uri.TryCreate(text.Trim(), UriKind.Absolute, out var url) || url.Scheme is not ("redis" or "rediss") || url.Host.Length == 0 || url.Query.Length > 0 || url.Fragment.Length > 0)
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

    /// <summary>A lone name is refused, because programs disagree whether it is the user or the password.</summary>
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
