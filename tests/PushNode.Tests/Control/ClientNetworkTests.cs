using System.Net;
using PushNode.Control;

namespace PushNode.Tests.Control;

/// <summary>Which addresses share limits.</summary>
public sealed class ClientNetworkTests
{
    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1", true)]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", true)]
    [InlineData("::ffff:192.0.2.1", "::ffff:192.0.2.2", false)]
    [InlineData("2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff", true)]
    [InlineData("2001:db8:0:1::1", "2001:db8:0:2::1", false)]
    [InlineData("2001:db8:0:1::1", "2001:db9:0:1::1", false)]
    [InlineData("fe80::1%1", "fe80::2%2", true)]
    // The same 64 bits in another family.
    [InlineData("192.0.2.1", "0:0:c000:201::", false)]
    [InlineData("::", "0.0.0.0", false)]
    [InlineData(null, "0.0.0.0", false)]
    [InlineData(null, "::", false)]
    [InlineData(null, null, true)]
    public void An_IPv4_address_and_an_IPv6_network_of_64_bits_count_as_one(string? one, string? other, bool isOne)
    {
        var (first, second) = (Of(one), Of(other));
        Assert.Equal(isOne, first.Equals(second));
        if (isOne)
            Assert.Equal(first.GetHashCode(), second.GetHashCode());
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1")]
    [InlineData("::ffff:10.1.2.3", "10.1.2.3")]
    [InlineData("2001:db8:0:1:2:3:4:5", "2001:db8:0:1::/64")]
    [InlineData(null, "no address")]
    public void It_is_shown_as_operators_write_it(string? address, string shown) => Assert.Equal(shown, Of(address).ToString());

    private static ClientNetwork Of(string? address) => ClientNetwork.Of(address is null ? null : IPAddress.Parse(address));
}
