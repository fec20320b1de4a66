using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace PushHosting.Network;

/// <summary>What an address says about a client. Stateless; any thread.</summary>
public static class ClientAddress
{
    private const string ForwardedFor = "X-Forwarded-For";
    private const string Forwarded = "Forwarded";

    private static readonly IPNetwork[] Internal =
    [
        new(IPAddress.Parse("10.0.0.0"), 8), new(IPAddress.Parse("172.16.0.0"), 12), new(IPAddress.Parse("192.168.0.0"), 16),
        new(IPAddress.Parse("fc00::"), 7), new(IPAddress.Parse("fe80::"), 10),
    ];

    /// <summary>
    /// Whether a request comes from this machine or a private network. One that a proxy has forwarded without being trusted
    /// (<c>Proxies:Trusted</c>) does not: its client may be anywhere.
    /// </summary>
    public static bool IsInternal(HttpContext context)
    {
        var headers = context.Request.Headers;
        if (headers.ContainsKey(ForwardedFor) || headers.ContainsKey(Forwarded))
            return false;
        return context.Connection.RemoteIpAddress is { } address
            ? IsInternal(address)
            : context.Features.Get<IConnectionEndPointFeature>()?.LocalEndPoint is UnixDomainSocketEndPoint;
    }

    /// <summary>
    /// Whether an address is this machine's or a private network's: loopback, RFC 1918, unique local and link-local IPv6; and the same
    /// IPv4 addresses in their IPv6 form.
    /// </summary>
    public static bool IsInternal(IPAddress address)
    {
        var plain = Plain(address);
        return IPAddress.IsLoopback(plain) || Array.Exists(Internal, network => network.Contains(plain));
    }

    /// <summary>The address, as IPv4 if it is an IPv4 address in IPv6's form: a listener for both sees IPv4 clients so.</summary>
    public static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
