using System.Net;

namespace PushHosting.Network;

/// <summary>
/// Whose address a request has, for code that sees it before the middleware of <see cref="TrustedProxies"/>. It answers where only one answer is
/// possible, and leaves the rest to the middleware. Immutable; any thread.
/// </summary>
/// <param name="trusted">The networks of <c>Proxies:Trusted</c>.</param>
public sealed class ForwardedAddress(IEnumerable<IPNetwork> trusted)
{
    private readonly IPNetwork[] _trusted = [.. trusted];

    /// <summary>The client's address.</summary>
    /// <param name="peer">The other end of the connection.</param>
    /// <param name="forwardedFor">The only value of <c>X-Forwarded-For</c>; empty if there is none.</param>
    /// <returns>Null if the middleware has to look: a trusted proxy names several addresses, a trusted one, or one in an unusual form.</returns>
    public IPAddress? ClientOf(IPAddress peer, ReadOnlySpan<char> forwardedFor)
    {
        if (forwardedFor.IsEmpty || !IsTrusted(peer))
            return peer;
        return IPAddress.TryParse(forwardedFor, out var client) && forwardedFor.SequenceEqual(client.ToString()) && !IsTrusted(client) ? client : null;
    }

    private bool IsTrusted(IPAddress address)
    {
        var plain = ClientAddress.Plain(address);
        return Array.Exists(_trusted, network => network.Contains(plain) || network.Contains(address));
    }
}
