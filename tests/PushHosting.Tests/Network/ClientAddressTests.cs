using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using PushHosting.Network;

namespace PushHosting.Tests.Network;

/// <summary>Which clients are inside.</summary>
public sealed class ClientAddressTests
{
    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("127.255.255.255", true)]
    [InlineData("::1", true)]
    [InlineData("::ffff:127.0.0.1", true)]
    [InlineData("9.255.255.255", false)]
    [InlineData("10.0.0.0", true)]
    [InlineData("10.255.255.255", true)]
    [InlineData("11.0.0.0", false)]
    [InlineData("172.15.255.255", false)]
    [InlineData("172.16.0.0", true)]
    [InlineData("172.31.255.255", true)]
    [InlineData("172.32.0.0", false)]
    [InlineData("192.167.255.255", false)]
    [InlineData("192.168.0.0", true)]
    [InlineData("192.168.255.255", true)]
    [InlineData("192.169.0.0", false)]
    [InlineData("::ffff:10.1.2.3", true)]
    [InlineData("::ffff:203.0.113.7", false)]
    [InlineData("fbff:ffff::1", false)]
    [InlineData("fc00::", true)]
    [InlineData("fdff:ffff:ffff::1", true)]
    [InlineData("fe00::1", false)]
    [InlineData("fe80::1", true)]
    [InlineData("febf:ffff::1", true)]
    [InlineData("fec0::1", false)]
    [InlineData("2001:db8::1", false)]
    [InlineData("::", false)]
    [InlineData("0.0.0.0", false)]
    // Shared addresses of carriers, link-local IPv4, and IPv6 forms that lead to IPv4 somewhere else.
    [InlineData("100.64.0.1", false)]
    [InlineData("169.254.1.1", false)]
    [InlineData("64:ff9b::7f00:1", false)]
    [InlineData("2002:7f00:1::1", false)]
    [InlineData("::7f00:1", false)]
    public void Loopback_and_private_networks_are_inside(string address, bool isInternal) =>
        Assert.Equal(isInternal, ClientAddress.IsInternal(IPAddress.Parse(address)));

    [Theory]
    [InlineData("X-Forwarded-For")]
    [InlineData("x-forwarded-for")]
    [InlineData("Forwarded")]
    public void A_request_that_an_untrusted_proxy_forwarded_is_not(string header)
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = IPAddress.Loopback;
        Assert.True(ClientAddress.IsInternal(context));
        context.Request.Headers[header] = "10.0.0.1";
        Assert.False(ClientAddress.IsInternal(context));
    }

    [Fact]
    public void Of_those_without_an_address_only_a_Unix_sockets_client_is()
    {
        var context = new DefaultHttpContext();
        Assert.False(ClientAddress.IsInternal(context));
        context.Features.Set<IConnectionEndPointFeature>(new Listener(new UnixDomainSocketEndPoint("x")));
        Assert.True(ClientAddress.IsInternal(context));
        context.Features.Set<IConnectionEndPointFeature>(new Listener(new IPEndPoint(IPAddress.Loopback, 1)));
        Assert.False(ClientAddress.IsInternal(context));
    }

    private sealed record Listener(EndPoint? LocalEndPoint) : IConnectionEndPointFeature
    {
        EndPoint? IConnectionEndPointFeature.LocalEndPoint { get; set; } = LocalEndPoint;

        EndPoint? IConnectionEndPointFeature.RemoteEndPoint { get; set; }
    }
}
