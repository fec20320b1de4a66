using PushBackplane.Redis;
using PushHosting.Settings;

namespace PushBackplane.Tests.Redis;

public sealed class RedisOptionsTests
{
    [Theory]
    [InlineData("$SUBSCRIBE=x", "$SUBSCRIBE")]
    [InlineData("$SUBSCRIBE=", "$SUBSCRIBE")]
    [InlineData("$subscribe=x", "$SUBSCRIBE")]
    [InlineData(" $Subscribe=x", "$SUBSCRIBE")]
    [InlineData("$SUBSCRIBE =x", "$SUBSCRIBE")]
    [InlineData("$ SUBSCRIBE=x", "$SUBSCRIBE")]
    [InlineData("$UNSUBSCRIBE=x", "$UNSUBSCRIBE")]
    [InlineData("$UNSUBSCRIBE = x", "$UNSUBSCRIBE")]
    [InlineData("$AUTH=x", "$AUTH")]
    [InlineData("$auth=x", "$AUTH")]
    [InlineData("$AUTH =x", "$AUTH")]
    public void Another_name_for_a_command_of_our_connections_is_refused(string option, string command)
    {
        foreach (var text in (string[])[$"example:6379,password=hunter2,{option}", $"example:6379,{option},password=hunter2,ssl=true"])
        {
            var refused = Assert.Throws<SettingsException>(() => RedisOptions.Parse("Backplane:Servers:1", text));
            Assert.StartsWith($"Backplane:Servers:1 has {command};", refused.Message, StringComparison.Ordinal);
            Assert.EndsWith(".", refused.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("hunter2", refused.ToString(), StringComparison.Ordinal);
            Assert.DoesNotContain("example", refused.ToString(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("$CONFIG=")]
    [InlineData("$CONFIG=x")]
    [InlineData("$PUBLISH=x,$CLIENT=")]
    [InlineData("password=$AUTH=x")]
    public void Other_names_for_other_commands_are_accepted(string options) =>
        Assert.Equal("example:6379", RedisOptions.EndPoints(RedisOptions.Parse("Backplane:Servers:1", $"example:6379,{options}")));
}
