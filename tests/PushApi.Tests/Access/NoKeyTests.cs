using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using PushApi.Access;
using PushApi.Tests.Hosting;

namespace PushApi.Tests.Access;

/// <summary>An API without keys is open to addresses inside only.</summary>
public sealed class NoKeyTests
{
    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("10.1.2.3", true)]
    [InlineData("::ffff:192.168.0.1", true)]
    [InlineData("fd00::1", true)]
    [InlineData("203.0.113.7", false)]
    [InlineData("::ffff:203.0.113.7", false)]
    [InlineData("2001:db8::1", false)]
    [InlineData("172.32.0.1", false)]
    public async Task Only_addresses_inside_may_publish(string address, bool isInside)
    {
        await using var api = await ApiHost.StartAsync();
        var context = new DefaultHttpContext { Connection = { RemoteIpAddress = IPAddress.Parse(address) } };
        foreach (var scope in Enum.GetValues<ApiScope>())
            Assert.Equal(isInside ? null : 403, api.Services.GetRequiredService<ApiAccess>().Check(context, scope, out _)?.Status);
    }

    [Theory]
    [InlineData("X-Forwarded-For", "10.0.0.1")]
    [InlineData("X-Forwarded-For", "")]
    [InlineData("Forwarded", "for=127.0.0.1")]
    public async Task What_an_unknown_proxy_forwards_is_from_outside(string header, string value)
    {
        await using var api = await ApiHost.StartAsync();
        var answer = await api.PostAsync("/v1/broadcast", "application/json", "1"u8.ToArray(), (header, value));
        Assert.Contains("Proxies:Trusted", answer.IsProblem(403, "outside"), StringComparison.Ordinal);
        Assert.Empty(api.Backplane.Published);
    }

    [Fact]
    public async Task With_keys_the_address_does_not_matter()
    {
        var key = new TestKey("a");
        await using var api = await ApiHost.StartAsync(TestKey.Settings(key));
        (await api.PostAsync("/v1/broadcast", "application/json", "1"u8.ToArray(), key.Bearer, ("X-Forwarded-For", "203.0.113.7"))).IsAccepted(1);
    }

    [Fact]
    public async Task A_key_that_nobody_asks_for_is_ignored()
    {
        await using var api = await ApiHost.StartAsync();
        (await api.PostAsync("/v1/broadcast", "application/json", "1"u8.ToArray(), ("Authorization", "Bearer x"), ("X-API-Key", "y"))).IsAccepted(1);
    }
}
