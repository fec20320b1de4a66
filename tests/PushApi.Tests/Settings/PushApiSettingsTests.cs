using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using PushHosting.Settings;

namespace PushApi.Tests.Settings;

public class PushApiSettingsTests
{
    [Theory]
    [InlineData("MaxBodyBytes", "banana")]
    [InlineData("MaxBodyBytes", "0")]
    [InlineData("MaxItems", "0")]
    [InlineData("MaxRooms", "-1")]
    [InlineData("MaxMessageBytes", "9999999999")]
    [InlineData("MaxMessageBytes", "2000000")]
    [InlineData("MaxPendingBytes", "2000")]
    [InlineData("AllowedOrigins", "example.com")]
    [InlineData("AllowedOrigins", "https://example.com/page")]
    [InlineData("AllowedOrigins", "null")]
    [InlineData("AllowedHosts", "api.example.com:7799")]
    [InlineData("AllowedHosts", "http://api.example.com")]
    [InlineData("AllowedHosts", "a.example;;b.example")]
    public void A_wrong_value_stops_the_registration_and_names_the_key(string key, string value)
    {
        var problem = Assert.Throws<SettingsException>(() => Register(key, value));
        Assert.Contains("PushApi:" + key, problem.Message);
        Assert.Contains("accepts", problem.Message);
    }

    [Fact]
    public void An_unknown_key_is_refused() => Assert.Contains("MaxItem", Assert.Throws<SettingsException>(() => Register("MaxItem", "1")).Message);

    private static void Register(string key, string value) =>
        new ServiceCollection().AddPushApi(
            new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create<string, string?>("PushApi:" + key, value)]).Build());
}
