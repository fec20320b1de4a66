using PushBackplane.Redis;
using PushHosting.Settings;

namespace PushBackplane.Tests.Redis;

public sealed class RedisServerListTests
{
    [Fact]
    public void The_list_the_short_form_or_the_default_names_the_servers()
    {
        Assert.Equal(["a:1", "b:6379"], Read(null, "a:1,password=x", "b"));
        Assert.Equal(["a:1"], Read(" ", "a:1"));
        Assert.Equal(["c:1"], Read("c:1"));
        Assert.Equal(["standard:1"], Read(""));
        Assert.Empty(RedisServerList.Read(null, [], null));
    }

    [Theory]
    [InlineData("c:1", "a:1", "b:1", "ConnectionStrings:Redis and Backplane:Servers are both set; set ConnectionStrings:Redis for one Redis server, or Backplane:Servers:0, Backplane:Servers:1 and so on for several, but not both.")]
    [InlineData("", "a:1", "b:port,password=hunter2", "Backplane:Servers:1 must be host:port")]
    [InlineData("", "password=hunter2", "b:1", "Backplane:Servers:0 must be host:port")]
    [InlineData("", "a:1", "b:1,proxy=Twemproxy", "Backplane:Servers:1 names a proxy")]
    [InlineData("", "a:1", "b:1,channelPrefix=x", "Backplane:Servers:1 has a channelPrefix")]
    [InlineData("", "a:1,password=hunter2", "A:1,password=hunter2,defaultDatabase=2", "Backplane:Servers:1 repeats A:1 of Backplane:Servers:0; list each server once.")]
    [InlineData("", "localhost", "localhost:6379", "Backplane:Servers:1 repeats localhost:6379 of Backplane:Servers:0; list each server once.")]
    [InlineData("", "a:1,b:1", "c:1,b:1", "Backplane:Servers:1 repeats b:1 of Backplane:Servers:0; list each server once.")]
    public void A_wrong_list_is_refused_by_its_key_and_without_a_password(string shortForm, string first, string second, string message)
    {
        var refused = Assert.Throws<SettingsException>(() => Read(shortForm, first, second));
        Assert.StartsWith(message, refused.Message, StringComparison.Ordinal);
        Assert.EndsWith(".", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_server_may_have_several_addresses() => Assert.Equal(["a:1, a:2", "b:1"], Read(null, "a:1,a:2", "b:1"));

    private static string[] Read(string? shortForm, params string[] list) => [.. RedisServerList.Read(shortForm, list, "standard:1").Select(RedisOptions.EndPoints)];
}
