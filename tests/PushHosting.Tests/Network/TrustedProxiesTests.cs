using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using PushHosting.Network;
using PushHosting.Settings;
using PushHosting.Startup;
using PushHosting.Tests.Support;

namespace PushHosting.Tests.Network;

/// <summary>Which address a program takes for the client's, of a client on 127.0.0.1.</summary>
public sealed class TrustedProxiesTests
{
    [Theory]
    // Nobody is trusted by default, loopback included.
    [InlineData("", "203.0.113.7", "127.0.0.1", "203.0.113.7")]
    [InlineData("10.0.0.0/8", "203.0.113.7", "127.0.0.1", "203.0.113.7")]
    [InlineData("10.0.0.0/8;127.0.0.2", "127.0.0.2, 127.0.0.1", "127.0.0.1", "127.0.0.2, 127.0.0.1")]
    [InlineData("127.0.0.1", null, "127.0.0.1", "")]
    [InlineData("127.0.0.1", "203.0.113.7", "203.0.113.7", "")]
    [InlineData("127.0.0.0/8", "203.0.113.7:4711", "203.0.113.7", "")]
    [InlineData(" ::1 ; 127.0.0.1 ", "2001:db8::7", "2001:db8::7", "")]
    [InlineData("127.0.0.1", "[2001:db8::7]:4711", "2001:db8::7", "")]
    // Each proxy in a row counts if the one behind it is trusted; what a client has written before that is not read.
    [InlineData("127.0.0.1", "198.51.100.1, 203.0.113.7", "203.0.113.7", "198.51.100.1")]
    [InlineData("127.0.0.1;10.0.0.0/8", "127.0.0.1, 203.0.113.7, 10.0.0.2, 10.0.0.1", "203.0.113.7", "127.0.0.1")]
    [InlineData("127.0.0.1", "10.0.0.1, 127.0.0.1", "10.0.0.1", "")]
    // From the first entry that is not an address, the last proxy is the client.
    [InlineData("127.0.0.1", "unknown", "127.0.0.1", "unknown")]
    [InlineData("127.0.0.1", "203.0.113.7, banana", "127.0.0.1", "203.0.113.7, banana")]
    [InlineData("127.0.0.1;10.0.0.0/8", "203.0.113.7, banana, 10.0.0.1", "10.0.0.1", "203.0.113.7,banana")]
    [InlineData("127.0.0.1", "203.0.113.999", "127.0.0.1", "203.0.113.999")]
    [InlineData("127.0.0.1", "203.0.113.7:99999", "127.0.0.1", "203.0.113.7:99999")]
    [InlineData("127.0.0.1", "", "127.0.0.1", "")]
    [InlineData("127.0.0.1", ", ,", "127.0.0.1", ", ,")]
    public async Task The_last_address_that_no_trusted_proxy_has_is_the_clients(string trusted, string? header, string client, string rest)
    {
        await using var host = await StartAsync(trusted);
        Assert.Equal($"{client}|{rest}", await AskAsync(host, ("X-Forwarded-For", header)));
        // Who asks before the middleware gets the same answer or none.
        var earlier = host.App.Services.GetRequiredService<ForwardedAddress>().ClientOf(IPAddress.Loopback, header);
        Assert.Contains(earlier?.ToString(), (string?[])[null, client]);
    }

    [Theory]
    [InlineData("", "203.0.113.7, 10.0.0.1", "127.0.0.1")]
    [InlineData("10.0.0.1", "203.0.113.7", "127.0.0.1")]
    [InlineData("127.0.0.1", "", "127.0.0.1")]
    [InlineData("127.0.0.1", "203.0.113.7", "203.0.113.7")]
    [InlineData("127.0.0.1", "2001:db8::7", "2001:db8::7")]
    [InlineData("127.0.0.1", "127.0.0.1", null)]
    [InlineData("127.0.0.1", "::ffff:127.0.0.1", null)]
    [InlineData("127.0.0.1", "203.0.113.7, 198.51.100.1", null)]
    [InlineData("127.0.0.1", "203.0.113.7:80", null)]
    [InlineData("127.0.0.1", "203.113", null)]
    [InlineData("127.0.0.1", "203.0.113.007", null)]
    [InlineData("127.0.0.1", "unknown", null)]
    public async Task What_one_plain_address_says_is_known_before_the_middleware(string trusted, string header, string? client)
    {
        await using var host = await StartAsync(trusted);
        var address = host.App.Services.GetRequiredService<ForwardedAddress>();
        Assert.Equal(client, address.ClientOf(IPAddress.Loopback, header)?.ToString());
        Assert.Equal(client, address.ClientOf(IPAddress.Loopback.MapToIPv6(), header) is { } mapped ? ClientAddress.Plain(mapped).ToString() : null);
    }

    [Fact]
    public async Task A_row_of_proxies_is_followed_for_ten_hops()
    {
        await using var host = await StartAsync("127.0.0.0/8");
        var row = string.Join(", ", Enumerable.Range(1, 1000).Select(i => $"127.0.{i / 250}.{i % 250}"));
        Assert.StartsWith("127.0.3.241|127.0.0.1,127.0.0.2,", await AskAsync(host, ("X-Forwarded-For", row)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Forwarded", "for=203.0.113.7")]
    [InlineData("X-Real-IP", "203.0.113.7")]
    [InlineData("X-Original-For", "203.0.113.7:1")]
    [InlineData("X-Client-IP", "203.0.113.7")]
    public async Task No_other_header_names_a_client(string name, string value)
    {
        await using var host = await StartAsync("127.0.0.1");
        Assert.Equal("127.0.0.1|", await AskAsync(host, (name, value)));
    }

    [Theory]
    [InlineData("banana", "banana")]
    [InlineData("10.0.0.0/8;", "")]
    [InlineData("10.0.0.1/8", "10.0.0.1/8")]
    [InlineData("10.0.0.0/33", "10.0.0.0/33")]
    [InlineData("10.0.0.0/8/8", "10.0.0.0/8/8")]
    [InlineData("10.0.0.0/", "10.0.0.0/")]
    [InlineData("10/8", "10/8")]
    [InlineData("10.1", "10.1")]
    [InlineData("10.0.0.0/8,10.1.0.0/16", "10.0.0.0/8,10.1.0.0/16")]
    [InlineData("nginx.internal", "nginx.internal")]
    [InlineData("*", "*")]
    public void Anything_but_addresses_and_networks_is_refused(string trusted, string shown)
    {
        var refused = Assert.Throws<SettingsException>(() => Add(trusted));
        Assert.Equal(
            $"Proxies:Trusted has '{shown}'; it accepts addresses and networks separated by semicolons, "
            + "for example 192.0.2.10;10.1.0.0/16;fd00:1::/64, a network without the bits that vary.",
            refused.Message);
    }

    [Theory]
    [InlineData("0.0.0.0/0")]
    [InlineData("10.0.0.0/8;::/0")]
    public void Every_address_cannot_be_trusted(string trusted) =>
        Assert.Contains("which is every address", Assert.Throws<SettingsException>(() => Add(trusted)).Message, StringComparison.Ordinal);

    [Fact]
    public void The_frameworks_own_switch_which_trusts_everyone_is_refused()
    {
        var builder = PushProgram.CreateBuilder(["--ForwardedHeaders_Enabled=true"]);
        var refused = Assert.Throws<SettingsException>(() => builder.Services.AddTrustedProxies(builder.Configuration));
        Assert.StartsWith("ASPNETCORE_FORWARDEDHEADERS_ENABLED is 'true'", refused.Message, StringComparison.Ordinal);
    }

    private static Task<TestHost> StartAsync(string trusted) => TestHost.StartAsync(
        builder => builder.Services.AddTrustedProxies(builder.Configuration),
        app => app.MapGet("/", (HttpContext context) => $"{context.Connection.RemoteIpAddress}|{context.Request.Headers["X-Forwarded-For"]}"),
        $"--Proxies:Trusted={trusted}");

    private static void Add(string trusted)
    {
        var builder = PushProgram.CreateBuilder([$"--Proxies:Trusted={trusted}"]);
        builder.Services.AddTrustedProxies(builder.Configuration);
    }

    private static async Task<string> AskAsync(TestHost host, (string Name, string? Value) header)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, host.Public);
        if (header.Value is not null)
            request.Headers.TryAddWithoutValidation(header.Name, header.Value);
        using var answer = await TestHost.SendAsync(request);
        return await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }
}
